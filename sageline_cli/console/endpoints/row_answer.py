"""What an endpoint has answered to one row, and the request for other programs."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from sageline.json_objects import Json
from sageline.report.drawing.figures import UNKNOWN, number

_SHOWN = 10
"""Labels that are shown; the others are folded away."""


@dataclass(frozen=True)
class LabelShare:
    """A label and its probability; None where the model tells none."""

    label: str
    probability: float | None

    @property
    def text(self) -> str:
        return UNKNOWN if self.probability is None else f"{100 * self.probability:.1f} %"

    @property
    def width(self) -> float:
        """Of the bar, in percent."""
        return 100 * min(max(self.probability or 0.0, 0.0), 1.0)


@dataclass(frozen=True)
class RowAnswer:
    """``answered``: the label, or the value as a number with its digits. ``shares``: all labels, the most probable first."""

    answered: str
    is_value: bool
    probability: float | None
    shares: tuple[LabelShare, ...]
    variant: str
    warnings: tuple[str, ...]
    milliseconds: float

    @property
    def first(self) -> tuple[LabelShare, ...]:
        """The most probable labels."""
        return self.shares[:_SHOWN]

    @property
    def rest(self) -> tuple[LabelShare, ...]:
        return self.shares[_SHOWN:]

    @property
    def follows_decision(self) -> bool:
        """Whether the label is not the most probable one: the model's decision was tuned to a metric."""
        return bool(self.shares) and self.shares[0].probability is not None and self.shares[0].label != self.answered


def read_answer(answer: Json, seconds: float) -> RowAnswer:
    """What ``POST /endpoints/{name}/predictions`` has answered to one row after so many seconds."""
    [prediction] = answer["predictions"]
    shares = [LabelShare(str(label), probability) for label, probability in (prediction.get("probabilities") or {}).items()]
    is_value = "value" in prediction
    return RowAnswer(
        answered=number(prediction["value"]) if is_value else str(prediction["label"]),
        is_value=is_value,
        probability=prediction.get("probability"),
        shares=tuple(sorted(shares, key=lambda share: -(-1.0 if share.probability is None else share.probability))),
        variant=answer["variant"],
        warnings=tuple(warning.replace("instances[0]: ", "") for warning in answer.get("warnings", [])),
        milliseconds=1000 * seconds,
    )


@dataclass(frozen=True)
class RequestText:
    """A request as a person copies it: its JSON body, as curl, and as a command of Sageline's."""

    body: str
    curl: str
    command: str


def request_of_row(endpoint: str, row: object, options: Mapping[str, object], stack: str | None) -> RequestText:
    """``stack``: the stack in AWS by its name; None: the local stack."""
    body = json.dumps({"instances": [row], **options}, indent=2, ensure_ascii=False)
    compact = json.dumps({"instances": [row], **options}, ensure_ascii=False)
    path = f"/endpoints/{endpoint}/predictions"
    curl = _curl(path, f"-H 'content-type: application/json' --data {shlex.quote(compact)}")
    rows = shlex.quote(json.dumps(row, ensure_ascii=False))
    return RequestText(body, curl, f"echo {rows} | {_command(endpoint, '-', stack)}")


def request_of_image(endpoint: str, file: str, media_type: str, options: Mapping[str, object], stack: str | None) -> RequestText:
    """The same for an image, which is a file on the person's machine."""
    query = "&".join(f"{name}={json.dumps(value)}" for name, value in options.items())
    path = f"/endpoints/{endpoint}/predictions" + (f"?{query}" if query else "")
    curl = _curl(path, f"-H {shlex.quote(f'content-type: {media_type}')} --data-binary {shlex.quote('@' + file)}")
    return RequestText("", curl, _command(endpoint, file, stack))


def _curl(path: str, rest: str) -> str:
    return (
        'curl --aws-sigv4 "aws:amz:$AWS_REGION:execute-api" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \\\n'
        '  ${AWS_SESSION_TOKEN:+"-Hx-amz-security-token: $AWS_SESSION_TOKEN"} \\\n'
        f'  {rest} \\\n  "$SAGELINE_API_URL{path}"'
    )


def _command(endpoint: str, file: str, stack: str | None) -> str:
    where = f" --stack {shlex.quote(stack)}" if stack else ""
    return f"sageline predict {shlex.quote(endpoint)} --file {shlex.quote(file)}{where}"
