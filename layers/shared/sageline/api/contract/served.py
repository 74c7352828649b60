"""The document as it is served: made beforehand by ``python -m docs.generate``, with the address of whoever was asked."""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Final

from sageline.aws.http import Event
from sageline.json_objects import Json

FILE: Final = "openapi.json"


@functools.cache
def _made() -> Json:
    made: Json = json.loads(resources.files(__package__).joinpath(FILE).read_text(encoding="utf-8"))
    return made


def openapi(event: Event) -> Json:
    """The OpenAPI document, whose server is the API that the event is of."""
    context = event["requestContext"]
    stage = context.get("stage", "$default")
    path = "" if stage == "$default" else f"/{stage}"
    return {**_made(), "servers": [{"url": f"https://{context['domainName']}{path}"}]}
