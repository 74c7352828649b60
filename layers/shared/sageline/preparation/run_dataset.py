"""What preparing a run's dataset begins with: its specs, its parts, and how they are read."""

from __future__ import annotations

from dataclasses import dataclass, field

from sageline.dataset.profile import DatasetProfile
from sageline.dataset.profiles.findings import Findings
from sageline.dataset.readers.source import ReadOptions
from sageline.errors import InvalidSpec
from sageline.json_objects import Json
from sageline.names import RunLayout
from sageline.resolve.resolution import Resolution, changes_of
from sageline.resolve.resolve import resolve_spec
from sageline.runs.context import RunContext
from sageline.spec.model import Spec
from sageline.storage.dataset_object import read_options
from sageline.storage.dataset_parts import Dataset, dataset_of


@dataclass
class RunDataset:
    """The dataset of a run.

    Attributes:
        spec: resolved from a sample of the rows.
        given: as the run was asked for; None for a run that began before these were kept.
        provisional: the resolution of the sample.
        schema: of the run's record; what all rows tell is noted in it.
        is_candidate: the run is one of those that a run of ``auto`` has started.
    """

    run_id: str
    spec: Spec
    given: Spec | None
    dataset: Dataset
    layout: RunLayout
    options: ReadOptions
    provisional: Resolution
    schema: Json
    is_candidate: bool
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, run_id: str, run: RunContext) -> RunDataset:
        """That of a run which ConfigureRun has claimed.

        Raises:
            InvalidSpec: the run's spec is not a resolved one.
        """
        spec = run.files.read_spec(run_id)
        if spec.task is None:
            raise InvalidSpec("The run's spec says no task, so it is not a resolved one; start the run again.")
        record = run.store.get(run_id)
        layout = run.files.layout(run_id)
        dataset = dataset_of(record.details, layout, run.files.s3)
        given = run.files.find_given_spec(run_id, spec.algorithm.name)
        schema = dict(record.details.get("schema", {}))
        asked = given or spec
        options = read_options(asked.dataset.model_copy(update={"label": spec.dataset.label}), asked.encoder)
        provisional = Resolution.of_schema(spec, schema)
        return cls(run_id, spec, given, dataset, layout, options, provisional, schema, "candidate_of" in record.details)

    @property
    def findings(self) -> Findings:
        """What the sample has told of the columns; nothing of a run that began before that was kept."""
        return Findings.of_schema(self.schema) or Findings()

    def resolve(self, profile: DatasetProfile) -> Resolution:
        """The spec as all rows have it; what that changes is noted in the schema.

        Args:
            profile: of all rows, whose notes are those of their readers.

        Raises:
            InvalidDataset: what the run has announced does not hold.
        """
        if self.given is None:
            return self.provisional
        resolution = resolve_spec(self.given, profile, name=self.spec.name or "", uri=self.dataset.uri)
        changes = self.schema.get("changes") or changes_of(self.spec, resolution.spec, profile.rows)
        self.schema.update(resolution.schema(), changes=changes)
        return resolution
