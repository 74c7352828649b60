"""Bodies of requests, and how predictions are asked for and answered in other types than JSON."""

from __future__ import annotations

from sageline.api.contract.operations import Operation
from sageline.json_objects import Document, Json
from sageline.serving.answer import CSV, JSON, JSON_LINES
from sageline.serving.document import PredictionOptions
from sageline.serving.image_body import IMAGES

_TEXT: Json = {"type": "string"}


def of(operation: Operation, schema: Json, example: Document) -> Json:
    """The body that an operation takes."""
    media: Json = {"schema": schema}
    if "request" in example:
        media["example"] = example["request"]
    content: Json = {JSON: media}
    if operation.id == "predict":
        content |= {CSV: {"schema": _TEXT, "example": "alcohol,colour\n13.2,red\n"}}
        content |= {name: {"schema": _TEXT, "example": '{"alcohol": 13.2, "colour": "red"}\n'} for name in JSON_LINES}
        content |= {IMAGES: {"schema": {"type": "string", "contentMediaType": IMAGES}}}
    return {"required": operation.needs_body, "content": content}


def prediction_parameters(schema: Json) -> list[Json]:
    """The options of a prediction in the query string."""
    return [
        {
            "name": name,
            "in": "query",
            "description": "Beside the instances of a JSON body, or here; in both it is an error.",
            "schema": schema["properties"][name],
        }
        for name in PredictionOptions.__annotations__
    ]


def other_answers() -> Json:
    """Predictions in the types that ``Accept`` may ask for besides JSON."""
    return {name: {"schema": _TEXT} for name in (CSV, *JSON_LINES)}
