"""A prediction request whose body is an image file, and not JSON."""

from __future__ import annotations

import base64

from sageline.aws.http import Event, header
from sageline.aws.media_types import media_type
from sageline.errors import InvalidRequest

IMAGES = "image/*"
"""The types of a body that is an image file; which of them are read is told by the file's own bytes."""


def image_instance(event: Event) -> dict[str, str] | None:
    """The instance that a body of ``content-type: image/...`` is: ``{"image": <the file in base64>}``, as API Gateway hands it
    over. None for any other content type.

    Raises:
        InvalidRequest: there is no body.
    """
    if not media_type(header(event, "content-type")).startswith("image/"):
        return None
    body = str(event.get("body") or "")
    if not body:
        raise InvalidRequest("The request has no body; send the bytes of an image file.")
    if not event.get("isBase64Encoded"):  # a text then, such as SVG
        body = base64.b64encode(body.encode(errors="surrogatepass")).decode()
    return {"image": body}
