"""The result of resolving a spec against the data."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sageline.arrays.dates import DateFormat
from sageline.arrays.number_spelling import PLAIN, Spelling
from sageline.dataset.profiles.findings import ColumnFindings, Findings
from sageline.errors import InvalidDataset
from sageline.spec.model import Spec

_LISTED = 40  # columns in a run's record, which is bounded


@dataclass(frozen=True)
class Resolution:
    """A resolved spec, and what it does not say.

    Attributes:
        spellings: how the numbers of columns are spelled, the label's too; a column that is not here has plain ones.
        date_formats: how the columns of dates spell them.
        label_is_number: the label is a column of numbers, so a value that is none is a mistake and no class of its own.
        no_label: words in lower case that stand for no label, where labels are no numbers.
        warnings: what a person should know before they trust the model, the most important first.
        notes: what was read as it was meant, most likely: encoding, spellings of numbers, words for missing ones.
    """

    spec: Spec
    spellings: Mapping[str, Spelling] = field(default_factory=dict)
    date_formats: Mapping[str, DateFormat] = field(default_factory=dict)
    label_is_number: bool = False
    no_label: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def spelling(self, column: str) -> Spelling:
        return self.spellings.get(column, PLAIN)

    def reads_like(self, other: Resolution) -> bool:
        """Whether the data are read the same way: label, its scale, task, columns, spellings, split, encoder."""
        mine, its = self.spec, other.spec
        same = (mine.task, mine.dataset, mine.split, mine.encoder) == (its.task, its.dataset, its.split, its.encoder)
        same = same and (mine.target.transform or "none") == (its.target.transform or "none")
        labels_alike = (self.label_is_number, self.no_label) == (other.label_is_number, other.no_label)
        spelled_alike = dict(self.spellings) == dict(other.spellings) and dict(self.date_formats) == dict(other.date_formats)
        return same and labels_alike and spelled_alike

    def schema(self) -> dict[str, Any]:  # Any: a JSON document
        """What is predicted, from which columns, what is left out and why: as a run's record has it."""
        spec, features = self.spec, dict(self.spec.dataset.features or {})
        left_out = {name: spec.reasons.get(f"dataset.features.{name}", "").removeprefix("left out: ") for name in spec.left_out}
        return {
            "label": spec.dataset.label,
            "task": spec.task,
            "why": spec.reasons.get("dataset.label", "as asked for"),
            "features": features if len(features) <= _LISTED else {},
            "kinds": dict(Counter(features.values())),
            "left_out": dict(list(left_out.items())[:_LISTED]),
            "left_out_in_all": len(left_out),
            "split": {"by": spec.split.by, "column": spec.split.column},
            "warnings": list(self.warnings),
            "notes": list(self.notes),
            "spellings": {name: list(spelling) for name, spelling in self.spellings.items()},
            "date_formats": {name: list(date_format) for name, date_format in self.date_formats.items()},
            "label_is_number": self.label_is_number,
            "no_label": list(self.no_label),
        }

    def findings(self, found: Mapping[str, ColumnFindings]) -> Findings:
        """What a sample has found of the columns, for the reading of all rows; but numbers and dates are looked for in columns
        that are read as such, whatever most of their values are: a person may have said so."""
        dataset, split = self.spec.dataset, self.spec.split
        numbers = {dataset.weight, *(name for name, kind in (dataset.features or {}).items() if kind == "number")}
        numbers |= {split.column} if split.by == "time" else set()
        numbers |= {dataset.label} if self.spec.task == "regression" else set()
        return Findings.of(
            {
                name: ColumnFindings(
                    of_words=known.of_words and name not in numbers,
                    no_dates=known.no_dates and name not in self.date_formats,
                    no_compact_dates=known.no_compact_dates and name not in self.date_formats,
                )
                for name, known in found.items()
            }
        )

    @classmethod
    def of_schema(cls, spec: Spec, schema: Mapping[str, Any]) -> Resolution:  # Any: a JSON document
        """The resolution of which a run's record has the schema."""
        spellings = {name: Spelling(*spelling) for name, spelling in schema.get("spellings", {}).items()}
        formats = {name: DateFormat(*date_format) for name, date_format in schema.get("date_formats", {}).items()}
        texts = [tuple(schema.get(key, ())) for key in ("no_label", "warnings", "notes")]
        return cls(spec, spellings, formats, bool(schema.get("label_is_number")), *texts)


def changes_of(provisional: Spec, final: Spec, rows: int) -> list[str]:
    """What reading every row has changed in a spec that was resolved from a sample, in sentences.

    Raises:
        InvalidDataset: what the run has announced, and what it may cost, does not hold: label, task, algorithm or tuning.
    """
    uri = final.dataset.uri
    for key, before, after in (
        ("dataset.label", provisional.dataset.label, final.dataset.label),
        ("task", provisional.task, final.task),
    ):
        if before != after:
            why = f" ({final.reasons[key]})" if key in final.reasons else ""
            raise InvalidDataset(
                f"{uri}: all {rows:,} rows together say something else than the sample that was looked at first: `{key}` is "
                f"{json.dumps(after)}{why}, and was {json.dumps(before)}. Say in the spec which one is right."
            )
    if _jobs(provisional) != _jobs(final):
        raise InvalidDataset(
            f"{uri}: all {rows:,} rows together ask for another `algorithm` or `tuning` than the sample that was looked at "
            f"first. Say in the spec which hyperparameters and ranges are right."
        )
    then, now = provisional.reasons, final.reasons
    changed = [key for key in now if key.startswith("dataset.features") and _kind(then, key) != _kind(now, key)]
    changed += [key for key in now if key.startswith("encoder") and _has_another(key, provisional, final)]
    if None not in (before := provisional.target.transform, after := final.target.transform) and before != after:
        changed.append("target.transform")
    return [f"`{key}`: {now[key]}; when the run began it had looked like {then.get(key, 'something else')}." for key in changed]


def _has_another(key: str, provisional: Spec, final: Spec) -> bool:
    """Whether an option of the encoder was decided before and is another one now. By its value: a spec that an earlier version
    has resolved gives other reasons for it, and lacks options that were not there."""
    before, after = (_option(spec, key) for spec in (provisional, final))
    return before is not None and before != after


def _option(spec: Spec, key: str) -> object:
    found: object = spec.model_dump(include={"encoder"})
    for name in key.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found.get("kind") if isinstance(found, dict) else found


def _jobs(spec: Spec) -> tuple[object, ...]:
    """What decides how many training jobs of what kind there are; a spec that was prepared before has hyperparameters too."""
    return (spec.algorithm.name, spec.tuning and (spec.tuning.max_jobs, spec.tuning.ranges))


def _kind(reasons: Mapping[str, str], key: str) -> str:
    """What was decided, without the numbers that explain it."""
    reason = reasons.get(key, "")
    return reason.partition(":")[0].partition(",")[0]
