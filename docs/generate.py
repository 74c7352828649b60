"""Writes what documentation can be derived from code: the spec's JSON Schema and its keys, the HTTP API's OpenAPI document, the
hyperparameters, what ``auto`` gives to its algorithms, the metrics.

``python -m docs.generate`` rewrites the files; ``--check`` only says whether they are up to date (exit code 1 if not).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from docs import api_examples
from sageline.algorithms import blazingtext, knn, linear_learner, tensorflow, xgboost
from sageline.algorithms.catalog import DataFacts, Rules
from sageline.algorithms.presets import settings, trials_of
from sageline.api import contract
from sageline.api.contract.document import openapi_document
from sageline.api.contract.served import FILE
from sageline.spec.metrics import METRICS
from sageline.spec.model import Spec

DOCS = Path(__file__).parent
_CONTRACT = Path(contract.__file__).parent / FILE
_ALGORITHMS = {
    "xgboost": xgboost.RULES,
    "linear-learner": linear_learner.RULES,
    "knn": knn.RULES,
    "blazingtext": blazingtext.RULES,
    "tensorflow (tables and texts)": tensorflow.DENSE_RULES,
    "tensorflow (images)": tensorflow.CNN_RULES,
}
_SIDE_BY_SIDE = (("xgboost", "linear-learner"), ("xgboost", "linear-learner", "blazingtext"), ("knn", "tensorflow"))
"""What ``auto`` trains together."""
_TABLE = {"number", "category", "date"}

END = "<!-- end of generated -->\n"


def schema_json() -> str:
    schema = Spec.model_json_schema()
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=2) + "\n"


def openapi_json() -> str:
    # On lines, so that a change of it can be read.
    return json.dumps(openapi_document(api_examples.bodies()), indent=1, ensure_ascii=False) + "\n"


def keys_table() -> str:
    rows = ["| key | type | default | |", "|---|---|---|---|"]
    rows += [f"| `{path}` | {kind} | {default} | {text} |" for path, kind, default, text in _keys(Spec, "")]
    return "\n".join(rows) + "\n"


def _keys(section: type[BaseModel], prefix: str) -> list[tuple[str, str, str, str]]:
    found = []
    for name, field in section.model_fields.items():
        sections = _sections(field.annotation)
        if not sections:
            found.append((prefix + name, _type(field.annotation, field), _default(field), field.description or ""))
        # The parts of an object whose keys are names: `tuning.ranges.<name>`.
        path = f"{prefix}{name}.<name>" if get_origin(field.annotation) is dict else prefix + name
        for nested in sections:
            kind = nested.model_fields.get("kind") or nested.model_fields.get("type") if len(sections) > 1 else None
            label = path + (f" ({get_args(kind.annotation)[0]})" if kind else "")
            text = " ".join(part for part in (field.description, nested.__doc__) if part and nested.__doc__ != BaseModel.__doc__)
            found.append((label, "object", _default(field), " ".join(text.split())))
            found += _keys(nested, f"{path}.")
    return found


# An annotation is whatever typing makes of it: Any is the honest type.
def _sections(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [section for part in _members(annotation) for section in _sections(part)]


def _members(annotation: Any) -> tuple[Any, ...]:
    origin = get_origin(annotation)
    if origin is Annotated:
        return get_args(annotation)[:1]
    if origin is dict:
        return tuple(value for value in get_args(annotation)[1:] if get_origin(value) is Annotated)
    return get_args(annotation) if origin in (Union, UnionType) else ()


def _type(annotation: Any, field: FieldInfo) -> str:
    members = [part for part in _members(annotation) if part is not type(None)]
    if members:
        return " or ".join(_type(part, field) for part in members)
    origin = get_origin(annotation)
    if origin is Literal:
        return ", ".join(f"`{json.dumps(value)}`" for value in get_args(annotation))
    if origin is list:
        return f"list of {_type(get_args(annotation)[0], FieldInfo()).replace(' or ', 's or ')}s"
    if origin is dict:
        return "object"
    names = {str: "string", int: "integer", float: "number", bool: "boolean"}
    return names[annotation] + _bounds(field)


def _bounds(field: FieldInfo) -> str:
    symbols = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "max_length": "length ≤"}
    parts = [
        f"{symbol} {value:,}"
        for constraint in field.metadata
        for attribute, symbol in symbols.items()
        if (value := getattr(constraint, attribute, None)) is not None
    ]
    return f" ({', '.join(parts)})" if parts else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    return "" if value is None or isinstance(value, BaseModel) else f"`{json.dumps(value)}`"


def hyperparameter_tables() -> str:
    return "\n".join(_hyperparameters(name, rules) for name, rules in _ALGORITHMS.items())


def _hyperparameters(name: str, rules: Rules) -> str:
    lines = [f"### {name}", "", "| hyperparameter | takes | own default | usual range to tune |", "|---|---|---|---|"]
    for key, row in rules.table.items():
        if key.startswith("_"):  # SageMaker's own
            continue
        default = "required" if row.required else "" if row.default is None else f"`{_text(row.default)}`"
        lines.append(f"| `{key}` | {row.expected} | {default} | {_range(rules.ranges.get(key, {}))} |")
    tasks = {"classes": DataFacts("classification"), "values": DataFacts("regression")}
    metrics = {task: ", ".join(f"`{metric}`" for metric in rules.metrics({}, facts)) for task, facts in tasks.items()}
    lines += ["", f"Metrics to tune by, for classes: {metrics['classes']}."]
    if name != "blazingtext":
        lines.append(f"For values: {metrics['values']}.")
    return "\n".join(lines) + "\n"


def _text(value: object) -> str:
    return ",".join(str(item) for item in value) if isinstance(value, tuple) else str(value)


def _range(values: Mapping[str, str | float]) -> str:
    if not values:
        return ""
    scaling = ", logarithmic" if values.get("scaling") == "Logarithmic" else ""
    return f"{values['min']:g} to {values['max']:g}{scaling}"


def auto_tables() -> str:
    """What ``auto`` trains, with how many trials, and what it gives to each algorithm."""
    trials = ["| algorithms | `quick` | `good` | `best` |", "|---|---|---|---|"]
    for among in _SIDE_BY_SIDE:
        counts = [" + ".join(str(trials_of(name, among, preset)) for name in among) for preset in ("good", "best")]
        trials.append(f"| {', '.join(among)} | {len(among)} training jobs | {counts[0]} trials | {counts[1]} trials |")
    given = ["| algorithm | hyperparameters | where there is text | encoder |", "|---|---|---|---|"]
    for name in dict.fromkeys(name for among in _SIDE_BY_SIDE for name in among):
        without, with_text = (settings(name, (name,), "quick", kinds) for kinds in (_TABLE, {*_TABLE, "text"}))
        usual = without.hyperparameters
        otherwise = {key: value for key, value in with_text.hyperparameters.items() if usual.get(key) != value}
        encoder = "; ".join(f"`{kind}`: {_listed(options)}" for kind, options in with_text.encoder.items())
        cells = (_listed(usual) or "its defaults", _listed(otherwise) or "the same", encoder or "its defaults")
        given.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*trials, "", *given]) + "\n"


def _listed(options: Mapping[str, object]) -> str:
    return ", ".join(f"`{name}` {json.dumps(value)}" for name, value in options.items())


def metrics_table() -> str:
    rows = ["| metric | for a | better | needs | |", "|---|---|---|---|---|"]
    rows += [f"| `{name}` | {row.task} | {row.better} | {row.needs} | {row.text} |" for name, row in METRICS.items()]
    return "\n".join(rows) + "\n"


def generated() -> dict[Path, str]:
    """Every generated file with the text it should hold."""
    return {
        DOCS / "spec.schema.json": schema_json(),
        _CONTRACT: openapi_json(),
        DOCS / "spec.md": _filled(DOCS / "spec.md", keys=keys_table()),
        DOCS / "algorithms.md": _filled(DOCS / "algorithms.md", auto=auto_tables(), hyperparameters=hyperparameter_tables()),
        DOCS / "evaluation.md": _filled(DOCS / "evaluation.md", metrics=metrics_table()),
    }


def _filled(page: Path, **texts: str) -> str:
    """The page with these texts between their marks."""
    filled = page.read_text()
    for name, text in texts.items():
        begin = f"<!-- generated: {name} -->\n"
        head, _, rest = filled.partition(begin)
        filled = f"{head}{begin}{text}{END}{rest.partition(END)[2]}"
    return filled


def main() -> int:
    stale = [path for path, text in generated().items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv:
        for path in stale:
            sys.stderr.write(f"{path.name} is not what the code says; run `make docs`\n")
        return 1 if stale else 0
    for path in stale:
        path.write_text(generated()[path])
    return 0


if __name__ == "__main__":
    sys.exit(main())
