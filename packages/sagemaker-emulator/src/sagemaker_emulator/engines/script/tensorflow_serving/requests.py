"""What the container makes of a request before TensorFlow Serving sees it, by the rules of its own front server."""

from __future__ import annotations

import re

JSON_TYPES = ("application/json", "application/jsonlines", "application/jsons")
CSV = "text/csv"

_IS_SERVING_JSON = re.compile(r'"(instances|inputs|examples)"\s*:')
# Values that nothing but white space separates.
_IS_LINES = re.compile(r"[}\]]\s*[\[{]")
_IS_ROWS = re.compile(r"^\s*\[\s*\[")
_IS_QUOTED_OR_NUMBER = re.compile(r'^\s*("|[\d.Ee+\-]+.*)')
_ATTRIBUTE = re.compile(r"tfs-[a-z\-]+=[^,]+")


class UnsupportedMediaType(Exception):
    """A content type that the container does not take."""


def serving_json(body: str, content_type: str | None) -> str:
    """The JSON of a request to TensorFlow Serving; raises :class:`UnsupportedMediaType`."""
    if content_type in JSON_TYPES:
        if _IS_SERVING_JSON.search(body):
            return body
        if _IS_LINES.search(body):
            return _from_lines(body)
        rows = body if _IS_ROWS.match(body) else f"[{body}]"
        return f'{{"instances":{rows}}}'
    if content_type == CSV:
        return _from_csv(body)
    raise UnsupportedMediaType(f"Unsupported Media Type: {content_type or 'Unknown'}")


def attributes(header: str | None) -> dict[str, str]:
    """``tfs-model-name``, ``tfs-model-version`` and ``tfs-method`` of the custom attributes."""
    pairs = (found.split("=") for found in _ATTRIBUTE.findall(header or ""))
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


def answered_type(accept: str | None) -> str:
    """The content type of an answer: the first of the accepted ones, if JSON or JSON Lines are among them."""
    types = [item.strip() for item in (accept or "").split(",")]
    return types[0] if any(item in JSON_TYPES[:2] for item in types) else JSON_TYPES[0]


def _from_lines(body: str) -> str:
    lines = [line.strip() for line in re.split(r"\r?\n", body.strip())]
    instances = ",".join(line for line in lines if line)
    return f'{{"instances":{instances}}}' if len(lines) == 1 else f'{{"instances":[{instances}]}}'


def _from_csv(body: str) -> str:
    """A line of one value becomes a scalar. Text is put in quotes if the very first value is neither quoted nor a number."""
    bare_text = not _IS_QUOTED_OR_NUMBER.match(body)
    instances = []
    for line in (line.strip() for line in re.split(r"\r?\n", body.strip())):
        if not line:
            continue
        # The container escapes the first quotation mark and splits at the first comma only.
        value = '"{}"'.format(line.replace('"', '\\"', 1).replace(",", '","', 1)) if bare_text else line
        instances.append(f"[{value}]" if "," in line else value)
    return f'{{"instances":[{",".join(instances)}]}}'
