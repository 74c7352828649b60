"""What a person sees before a run starts: what was found out about the data, the spec with corrections, and what it may cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, get_args

from botocore.exceptions import ClientError

from sageline.costs.estimate import CostFacts, Estimate, cost_bound
from sageline.costs.run_cost import evaluation_work
from sageline.json_objects import Json
from sageline.runs.documents import RunFiles
from sageline.runs.prices import LIST_PRICES
from sageline.spec.model import FeatureKind, Spec, validate_spec
from sageline.spec.training import AUTO, AlgorithmName, Preset, TuningSpec
from sageline_cli.connection import Connection
from sageline_cli.console.uploads import name_of
from sageline_cli.errors import CommandFailed

if TYPE_CHECKING:
    from sageline.runs.prices import Prices

LEFT_OUT = "ignore"
"""As ``dataset.kinds`` of a spec says it."""

TASKS = ("classification", "regression")
ALGORITHMS = tuple(name for name in get_args(AlgorithmName) if name != "script")
PRESETS = get_args(Preset)
KINDS = ("number", "category", "text", "date", LEFT_OUT)
_KINDS = frozenset({*get_args(FeatureKind), LEFT_OUT})
_COLUMN = "as."
"""Begins the name of a field that says what a column holds."""


@dataclass(frozen=True)
class Corrections:
    """What a person says of the data; what is empty is found out."""

    label: str = ""
    task: str = ""
    algorithm: str = ""
    preset: str = ""
    kinds: Mapping[str, str] = field(default_factory=dict)
    deploys: bool = True

    @classmethod
    def of(cls, form: Mapping[str, str]) -> Corrections:
        """Of a form's fields; what no form offers is passed over."""
        algorithm = form.get("algorithm", "")
        label = form.get("label", "")
        kinds = {name.removeprefix(_COLUMN): kind for name, kind in form.items() if name.startswith(_COLUMN) and kind in _KINDS}
        if form.get("column") and form.get("kind", "") in _KINDS:  # where no table of the columns is shown
            kinds[form["column"]] = form["kind"]
        kinds.pop(label, None)
        return cls(
            label,
            _one_of(form.get("task", ""), TASKS),
            _one_of(algorithm, ALGORITHMS),
            _one_of(form.get("preset", ""), PRESETS) if algorithm in ("", AUTO) else "",
            kinds,
            form.get("deploy") != "no",
        )

    def fields(self) -> dict[str, str]:
        """The form again, without what is empty: for an address that a person can come back to."""
        given = {"label": self.label, "task": self.task, "algorithm": self.algorithm, "preset": self.preset}
        given |= {f"{_COLUMN}{name}": kind for name, kind in self.kinds.items()}
        return {name: value for name, value in given.items() if value} | ({} if self.deploys else {"deploy": "no"})

    def spec(self) -> Json:
        """A spec that says this and nothing else."""
        dataset: Json = ({"label": self.label} if self.label else {}) | ({"kinds": dict(self.kinds)} if self.kinds else {})
        algorithm = {key: value for key, value in (("name", self.algorithm), ("preset", self.preset)) if value}
        parts: Json = {"dataset": dataset, "algorithm": algorithm, "task": self.task}
        return {key: value for key, value in parts.items() if value} | ({} if self.deploys else {"deployment": None})


@dataclass(frozen=True)
class Review:
    """What would be made of an upload.

    Attributes:
        found: the document of ``POST /datasets/inspect``.
        cost: as a run's record has it in ``details.cost``.
    """

    found: Json
    cost: Json

    @property
    def columns(self) -> list[str]:
        """Those that may be the label."""
        return [self.found["label"]["name"], *(column["name"] for column in self.found["columns"])]


def review(connection: Connection, key: str, corrections: Corrections) -> Review:
    """Look at an uploaded file.

    Raises:
        CommandFailed: it cannot be used as it is, or the corrections do not go with it; the message says what to do.
    """
    name_of(key)
    spec = corrections.spec()
    asked: Json = {"uri": f"s3://{connection.bucket}/{key}"} | ({"spec": spec} if spec else {})
    found = connection.api.inspect_dataset(asked)
    return Review(found, _cost(validate_spec(spec, "spec"), found["algorithms"], connection))


def spec_to_start(connection: Connection, key: str, corrections: Corrections) -> Json:
    """The spec of the run that is made of an upload."""
    spec = corrections.spec()
    return {**spec, "name": name_of(key), "dataset": {**spec.get("dataset", {}), "uri": f"s3://{connection.bucket}/{key}"}}


def started_runs(connection: Connection, key: str) -> list[str]:
    """Runs that were started of an upload, among the newest of its name."""
    uri = f"s3://{connection.bucket}/{key}"
    runs = connection.api.runs_page(20, name_of(key), details=False)["runs"]
    return [run["run_id"] for run in runs if run.get("dataset_uri") == uri]


def serves_already(connection: Connection, name: str) -> bool:
    """Whether there is an endpoint of that name, whose traffic a run would take over; False also where that cannot be told."""
    try:
        connection.api.endpoint(name)
    except CommandFailed:
        return False
    return True


def _cost(given: Spec, algorithms: Sequence[Json], connection: Connection) -> Json:
    """What ConfigureRun will note of the run's cost (docs/costs.md)."""
    trained = [_trained(given, each) for each in algorithms]
    prices, notes = _prices(connection)

    def bound(specs: Sequence[Spec]) -> Estimate:
        deployment = given.deployment
        facts = CostFacts(
            region=connection.s3.meta.region_name,
            prices=prices,
            transforms=(evaluation_work(given, jobs=len(specs)),),
            ttl_hours=deployment.ttl_hours if deployment else None,
            notes=notes,
        )
        return cost_bound(given, facts, specs)

    alone = {each.algorithm.name: bound([each]).most_usd for each in trained} if len(trained) > 1 else {}
    known = {algorithm: most for algorithm, most in alone.items() if most is not None}
    return bound(trained).to_json() | ({"alone_usd": known} if known else {})


def _trained(given: Spec, algorithm: Json) -> Spec:
    """The spec of one training or tuning job, as far as its cost depends on it."""
    trials = algorithm["trials"]
    update = {"name": algorithm["algorithm"], "preset": None}
    tuning = TuningSpec(max_jobs=trials) if trials else given.tuning
    return given.model_copy(update={"algorithm": given.algorithm.model_copy(update=update), "tuning": tuning})


def _prices(connection: Connection) -> tuple[Prices, tuple[str, ...]]:
    files = RunFiles(connection.s3, connection.bucket)
    try:
        return files.read_prices(), ()
    except ClientError:
        return LIST_PRICES, (f"{files.prices_uri} could not be read: the list prices are counted with.",)


def _one_of(text: str, known: Sequence[str]) -> str:
    return text if text in known else ""
