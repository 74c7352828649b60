"""What is wrong with a spec, in words for a person: the key, the value, and what to give instead."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from sageline.names import DATA_FORMATS_NAMED

_LONGEST_VALUE = 200
_EXPECTED = {
    "name": "use lower-case letters, digits and single hyphens, starting and ending with a letter or digit",
    "endpoint": "use letters, digits and hyphens, starting and ending with a letter or digit",
    "uri": "expected an S3 URI such as s3://bucket/folder/data.csv",
    "source_dir": "expected the S3 URI of a tar.gz, such as s3://bucket/datasets/wine/source.tar.gz",
    "entry_point": "expected the name of a .py or .sh file at the root of source_dir",
    "input": f"expected the S3 URI of a file that is {DATA_FORMATS_NAMED}",
    "instance_type": "expected a SageMaker instance type such as ml.m5.xlarge",
}
"""What is asked of the keys whose values have a pattern."""


# pydantic types an error's details and an annotation as Any.
def describe(problem: Any, root: type[BaseModel]) -> str:
    """One of pydantic's problems with a document that was to be a ``root``."""
    path, annotation = _walk(problem["loc"], root)
    where = ".".join(str(part) for part in path)
    given = json.dumps(problem.get("input"), default=str)
    given = given if len(given) <= _LONGEST_VALUE else f"{given[:_LONGEST_VALUE]}..."
    match problem["type"]:
        case _ if "hyperparameters" in path[:-2]:
            return f"`{'.'.join(path[:3])}` is {given}; expected a string, number or boolean."
        case _ if path[:2] == ["tuning", "ranges"] and "values" in path[3:-1]:
            return f"`{'.'.join(path[:4])}` holds {given}; expected strings, numbers or booleans."
        case "missing":
            return f"`{where}` is missing."
        case "extra_forbidden":
            return _describe_extra(where, str(path[-1]), _walk(problem["loc"][:-1], root)[1])
        case "value_error":
            return f"`{where or 'spec'}`: {problem['ctx']['error']}."
        case "string_pattern_mismatch" if path[-1] in _EXPECTED:
            return f"`{where}` is {given}; {_EXPECTED[path[-1]]}."
        case "string_too_long":
            return f"`{where}` has {len(problem['input'])} characters; the limit is {problem['ctx']['max_length']}."
        case "union_tag_invalid":
            key = problem["ctx"]["discriminator"].strip("'")
            return f"`{where}.{key}` is {json.dumps(problem['ctx']['tag'])}; expected one of {problem['ctx']['expected_tags']}."
        case "union_tag_not_found":
            key = problem["ctx"]["discriminator"].strip("'")
            *others, last = [json.dumps(tag) for tag in _sections(annotation)]
            return f"`{where}.{key}` is missing; give {', '.join(others)} or {last}."
        case _:
            return f"`{where}` is {given}; expected {_expected(problem, annotation)}."


def _expected(problem: Any, annotation: Any) -> str:
    if problem["type"] == "model_type":  # pydantic would name the class
        keys = [name for section in _sections(annotation).values() for name in section.model_fields]
        return f"an object with keys such as {', '.join(keys)}"
    message: str = problem["msg"]
    return message.removeprefix("Input should be ").rstrip(".")


def _describe_extra(where: str, key: str, annotation: Any) -> str:
    known = sorted(name for section in _sections(annotation).values() for name in section.model_fields)
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(known)}."
    return f"unknown key `{where}`; {hint}"


def _walk(location: Sequence[int | str], root: type[BaseModel]) -> tuple[list[Any], Any]:
    """The keys to a value in the document, and its annotation: pydantic also names the member of a union that it tried."""
    path: list[Any] = []
    annotation: Any = root
    for part in location:
        sections = _sections(annotation)
        if part in sections:
            annotation = sections[part]
            continue
        path.append(part)
        (section,) = sections.values() if len(sections) == 1 else (None,)
        if section is not None:
            field = section.model_fields.get(str(part))
            annotation = field.annotation if field else None
        else:
            annotation = get_args(annotation)[1] if get_origin(annotation) is dict else None
    return path, annotation


def _sections(annotation: Any) -> dict[Any, type[BaseModel]]:
    """The parts of the spec that may stand at a position, by the tag that tells them apart (None: there is one only)."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {None: annotation}
    if get_origin(annotation) is Annotated:
        union, field = get_args(annotation)
        return {get_args(member.model_fields[field.discriminator].annotation)[0]: member for member in get_args(union)}
    if get_origin(annotation) in (Union, UnionType):
        return {tag: section for member in get_args(annotation) for tag, section in _sections(member).items()}
    return {}
