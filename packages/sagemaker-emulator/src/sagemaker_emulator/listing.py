"""What all List calls share: filters, order, pages."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

from sagemaker_emulator.errors import invalid
from sagemaker_emulator.store import Document, Request
from sagemaker_emulator.validation import timestamp


def page(
    documents: Iterable[Document], request: Request, *, name: str, status: str | None = None
) -> tuple[list[Document], dict[str, str]]:
    """The documents of one page, and ``{"NextToken": …}`` when there are more.

    ``name`` and ``status`` are the members that NameContains, StatusEquals and SortBy look at. Newest first by default.
    """
    found = [document for document in documents if _matches(document, request, name, status)]
    member = {"Name": name, "Status": status or name}.get(request.get("SortBy", "CreationTime"), "CreationTime")
    found.sort(key=lambda document: (document[member], document[name]), reverse=_descending(request))
    return sliced(found, request)


def sliced(found: list[Document], request: Request) -> tuple[list[Document], dict[str, str]]:
    """The part of what was found and sorted that the request's page has, and ``{"NextToken": …}`` when there is more."""
    start = _offset(request.get("NextToken"))
    end = start + int(request.get("MaxResults") or 10)
    more = {"NextToken": base64.urlsafe_b64encode(f"offset:{end}".encode()).decode()} if end < len(found) else {}
    return found[start:end], more


def _descending(request: Request) -> bool:
    default = "Ascending" if request.get("SortBy") == "Name" else "Descending"
    return bool(request.get("SortOrder", default) == "Descending")


def _matches(document: Document, request: Request, name: str, status: str | None) -> bool:
    if request.get("NameContains", "").lower() not in document[name].lower():
        return False
    if status and request.get("StatusEquals") not in (None, document[status]):
        return False
    for member in ("CreationTime", "LastModifiedTime"):
        after, before = request.get(f"{member}After"), request.get(f"{member}Before")
        if after is not None and document[member] <= timestamp(after):
            return False
        if before is not None and document[member] >= timestamp(before):
            return False
    return True


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        label, _, number = base64.urlsafe_b64decode(token).decode().partition(":")
        if label == "offset":
            return int(number)
    except (binascii.Error, ValueError):
        pass
    raise invalid("Invalid NextToken: it must be one that the same List call returned.")
