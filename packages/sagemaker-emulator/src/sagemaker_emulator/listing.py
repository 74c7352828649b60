"""What all List calls share: filters, order, pages."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TypeAlias

from sagemaker_emulator.errors import invalid
from sagemaker_emulator.store import Document, Request
from sagemaker_emulator.validation import timestamp

_DEFAULT_PAGE = 10
Value: TypeAlias = str | float
Key: TypeAlias = Callable[[Document], Value]


@dataclass(frozen=True)
class Listing:
    """How one List operation filters, sorts and pages.

    ``name`` is the member that NameContains looks at, and which tells any two documents apart; ``status`` that of
    StatusEquals and of SortBy=Status. ``keys`` are further values of SortBy, ``equal`` further members of the request that a
    value of each document must be equal to. ``by`` is SortBy's default; the default of
    SortOrder is Ascending for the values of SortBy in ``ascending``, and Descending for the others.

    With ``filters_within_page`` a page is that of all documents, of which it then has those of the name and the status: it may
    be empty, and more may follow [source: the note of ListTrainingJobs in the API reference; of ListModels and NameContains
    github.com/aws/aws-sdk/issues/701].
    """

    operation: str
    name: str
    status: str | None = None
    by: str = "CreationTime"
    ascending: tuple[str, ...] = ()
    keys: Mapping[str, Key] = field(default_factory=dict)
    equal: Mapping[str, Key] = field(default_factory=dict)
    filters_within_page: bool = False

    def page(self, documents: Iterable[Document], request: Request, *, within: str = "") -> tuple[list[Document], dict[str, str]]:
        """The documents of one page, and ``{"NextToken": …}`` when there are more.

        The token holds a place in the order, not a count: what is created or deleted between two pages neither repeats nor
        hides a document. ``within`` names what the list is of, where it is not the account's: a token is good for one list
        in one order. Raises ValidationException for any other.
        """
        by = request.get("SortBy") or self.by
        descending = request.get("SortOrder", "Ascending" if by in self.ascending else "Descending") == "Descending"
        found = [document for document in documents if self._is_of_the_time(document, request)]
        if not self.filters_within_page:
            found = [document for document in found if self._matches(document, request)]
        placed = sorted(((self._place(document, by), document) for document in found), key=itemgetter(0), reverse=descending)
        order = [self.operation, within, by, descending]
        if request.get("NextToken"):
            last = _place_of(request["NextToken"], order, placed[0][0][0] if placed else None)
            placed = [item for item in placed if (item[0] < last if descending else item[0] > last)]
        most = int(request.get("MaxResults") or _DEFAULT_PAGE)
        listed = [document for _, document in placed[:most] if self._matches(document, request)]
        more = {"NextToken": _token(order, placed[most - 1][0])} if len(placed) > most else {}
        return listed, more

    def _place(self, document: Document, by: str) -> tuple[Value, str]:
        """Where a document stands in an order, of which the name is the last word."""
        if by in self.keys:
            return self.keys[by](document), document[self.name]
        member = {"Name": self.name, "Status": self.status or self.name}.get(by, by)
        return document[member], document[self.name]

    def _matches(self, document: Document, request: Request) -> bool:
        if request.get("NameContains", "").lower() not in document[self.name].lower():
            return False
        if self.status and request.get("StatusEquals") not in (None, document[self.status]):
            return False
        return all(request.get(member) in (None, key(document)) for member, key in self.equal.items())

    def _is_of_the_time(self, document: Document, request: Request) -> bool:
        for member in ("CreationTime", "LastModifiedTime"):
            after, before = request.get(f"{member}After"), request.get(f"{member}Before")
            if after is not None and document[member] <= timestamp(after):
                return False
            if before is not None and document[member] >= timestamp(before):
                return False
        return True


def _token(order: list[object], place: tuple[Value, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps([*order, *place]).encode()).decode()


def _place_of(token: str, order: list[object], like: Value | None) -> tuple[Value, str]:
    """The place of the last document of the page before; raises ValidationException for a token of another list or order.

    ``like`` is a value that the order has, of whose kind the place's must be; None when there is none.
    """
    try:
        *found, value, name = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (ValueError, TypeError, RecursionError) as error:
        raise _foreign() from error
    if found != order or not isinstance(name, str) or not isinstance(value, str | float):
        raise _foreign()
    if like is not None and isinstance(value, str) != isinstance(like, str):
        raise _foreign()
    return value, name


def _foreign() -> Exception:
    return invalid(
        "Invalid NextToken: it must be one that the same List call returned, with the same SortBy and SortOrder as there."
    )
