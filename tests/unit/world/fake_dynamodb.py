"""DynamoDB in memory, one table with keys ``pk`` and ``sk``: the expressions that the runs table and Powertools use.

An expression that is not understood is refused, as DynamoDB does with one that it does not know.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from tests.unit.world.fake_sagemaker import Document, Refused, invalid

INDICES = {"ByKind": "kind", "ByName": "name"}
"""Of the runs table, each to what it hashes; ``created_at`` is its range."""
LONGEST_KEY, LARGEST_ITEM = 2048, 400 * 1024  # bytes
_WORD = r"[#:]?\w+(?:\.[#:]?\w+)*"
_TOKEN = re.compile(rf"\s*({_WORD}|<>|<=|>=|[=<>(),])")
_FUNCTIONS = ("attribute_exists", "attribute_not_exists", "size", "list_append", "if_not_exists", "begins_with")
_plain: Callable[[Document], Any] = TypeDeserializer().deserialize  # type: ignore[assignment]  # its stubs name each kind of value


@dataclass
class FakeTable:
    """Items by their keys."""

    items: dict[tuple[str, str], Document] = field(default_factory=dict)

    def get_item(self, request: Document) -> Document:
        found = self.items.get(_key(request["Key"]))
        return {} if found is None else {"Item": copy.deepcopy(found)}

    def put_item(self, request: Document) -> Document:
        item = copy.deepcopy(request["Item"])
        key = _key(item)
        self._check(request, key)
        _check_size(item)
        self.items[key] = item
        return {}

    def update_item(self, request: Document) -> Document:
        key = _key(request["Key"])
        self._check(request, key)
        item: Document = copy.deepcopy(self.items.get(key) or request["Key"])
        Expression(request, item).update(request["UpdateExpression"])
        _check_size(item)
        self.items[key] = item
        return {}

    def delete_item(self, request: Document) -> Document:
        key = _key(request["Key"])
        self._check(request, key)
        self.items.pop(key, None)
        return {}

    def query(self, request: Document) -> Document:
        """Of one of :data:`INDICES`."""
        hashed = INDICES.get(request.get("IndexName", ""))
        if hashed is None:
            raise invalid("The table does not have the specified index")
        asked, keys = request["KeyConditionExpression"], ("pk", "sk", hashed, "created_at")
        indexed = [item for item in self.items.values() if item.keys() >= set(keys)]
        matching = [item for item in indexed if Expression(request, item).holds(asked)]
        matching.sort(key=_place, reverse=not request.get("ScanIndexForward", True))
        if start := request.get("ExclusiveStartKey"):
            _key(start)
            if start.keys() != set(keys) or not Expression(request, start).holds(asked):
                raise invalid("The provided starting key is invalid")
            past = _place(start)
            forward = request.get("ScanIndexForward", True)
            matching = [item for item in matching if (_place(item) > past if forward else _place(item) < past)]
        read = matching[: request.get("Limit", len(matching))]
        wanted = request.get("FilterExpression")
        found = [copy.deepcopy(item) for item in read if wanted is None or Expression(request, item).holds(wanted)]
        answer: Document = {"Items": found, "Count": len(found), "ScannedCount": len(read)}
        if len(read) < len(matching):
            answer["LastEvaluatedKey"] = {name: read[-1][name] for name in keys}
        return answer

    def scan(self, _: Document) -> Document:
        items = [copy.deepcopy(item) for item in self.items.values()]
        return {"Items": items, "Count": len(items), "ScannedCount": len(items)}

    def _check(self, request: Document, key: tuple[str, str]) -> None:
        condition, now = request.get("ConditionExpression"), self.items.get(key, {})
        if condition is not None and not Expression(request, now).holds(condition):
            wants_old = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and now
            raise Refused(
                "ConditionalCheckFailedException",
                "The conditional request failed",
                **({"Item": copy.deepcopy(now)} if wants_old else {}),
            )


class Expression:
    """Evaluates a request's expressions for an item, and changes it."""

    def __init__(self, request: Document, item: Document) -> None:
        self._names: dict[str, str] = request.get("ExpressionAttributeNames", {})
        self._values: Document = request.get("ExpressionAttributeValues", {})
        self._item = item
        self._tokens: list[str] = []

    def holds(self, text: str) -> bool:
        self._tokens = _tokens(text)
        answer = self._either()
        if self._tokens:
            raise invalid(f"Invalid expression: Syntax error; token: {self._tokens[0]}")
        return answer

    def update(self, text: str) -> None:
        """``SET path = operand, …``"""
        self._tokens = _tokens(text)
        self._expect("SET")
        changes = list(self._assignments())
        if self._tokens:
            raise invalid(f"Invalid UpdateExpression: Syntax error; token: {self._tokens[0]}")
        for path, value in changes:
            *parents, last = self._path(path)
            target = self._item
            for name in parents:
                if "M" not in target.get(name, {}):
                    raise invalid("The document path provided in the update expression is invalid for update")
                target = target[name]["M"]
            target[last] = copy.deepcopy(value)

    def _assignments(self) -> Iterator[tuple[str, Document]]:
        while True:
            path = self._tokens.pop(0)
            self._expect("=")
            value = self._operand()
            if value is None:
                raise invalid("The provided expression refers to an attribute that does not exist in the item")
            yield path, value
            if self._tokens[:1] != [","]:
                return
            self._tokens.pop(0)

    def _either(self) -> bool:
        answer = self._both()
        while self._tokens[:1] == ["OR"]:
            self._tokens.pop(0)
            answer = self._both() or answer
        return answer

    def _both(self) -> bool:
        answer = self._single()
        while self._tokens[:1] == ["AND"]:
            self._tokens.pop(0)
            answer = self._single() and answer
        return answer

    def _single(self) -> bool:
        if self._tokens[0] == "(":
            self._tokens.pop(0)
            answer = self._either()
            self._expect(")")
            return answer
        if self._tokens[0] in ("attribute_exists", "attribute_not_exists"):
            wanted = self._tokens.pop(0) == "attribute_exists"
            self._expect("(")
            found = self._at(self._tokens.pop(0)) is not None
            self._expect(")")
            return found == wanted
        return self._comparison()

    def _comparison(self) -> bool:
        left, sign, right = self._operand(), self._tokens.pop(0), self._operand()
        if left is None or right is None:
            return sign == "<>"
        if sign in ("=", "<>"):
            return (left == right) == (sign == "=")
        if left.keys() != right.keys():
            return False
        low, high = _plain(left), _plain(right)
        return bool({"<": low < high, "<=": low <= high, ">": low > high, ">=": low >= high}[sign])

    def _operand(self) -> Document | None:
        token = self._tokens.pop(0)
        if token not in _FUNCTIONS:
            return self._at(token)
        self._expect("(")
        first = self._operand()
        second = None
        if self._tokens[0] == ",":
            self._tokens.pop(0)
            second = self._operand()
        self._expect(")")
        match token, first, second:
            case "size", None, _:
                return None
            case "size", dict(), _:
                return {"N": str(len(_plain(first)))}
            case "list_append", {"L": head}, {"L": tail}:
                return {"L": head + tail}
            case "if_not_exists", _, _:
                return second if first is None else first
        raise invalid(f"Invalid expression: an operand of {token} has the wrong type or does not exist")

    def _at(self, token: str) -> Document | None:
        if token.startswith(":"):
            if token not in self._values:
                raise invalid(f"An expression attribute value used in expression is not defined: {token}")
            value: Document = self._values[token]
            return value
        found: Any = {"M": self._item}  # walked down to a value
        for name in self._path(token):
            found = found.get("M", {}).get(name)
            if found is None:
                return None
        return found  # type: ignore[no-any-return]  # a value in DynamoDB's JSON

    def _path(self, token: str) -> list[str]:
        names = token.split(".")
        unknown = [name for name in names if name.startswith("#") and name not in self._names]
        if unknown:
            raise invalid(f"An expression attribute name used in the document path is not defined: {unknown[0]}")
        return [self._names.get(name, name) for name in names]

    def _expect(self, token: str) -> None:
        if self._tokens[:1] != [token]:
            raise invalid(f"Invalid expression: Syntax error; expected {token}, found {self._tokens[:1]}")
        self._tokens.pop(0)


def _tokens(text: str) -> list[str]:
    found: list[str] = []
    at, text = 0, text.rstrip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise invalid(f"Invalid expression: Syntax error; near: {text[at : at + 20]!r}")
        found.append(token[1])
        at = token.end()
    return found


def _key(item: Document) -> tuple[str, str]:
    pk, sk = item.get("pk", {}).get("S", ""), item.get("sk", {}).get("S", "")
    if not pk or not sk:
        raise invalid("One or more parameter values were invalid: Missing the key pk or sk in the item, or it is empty")
    if len(pk.encode()) > LONGEST_KEY:
        raise invalid("One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit")
    return pk, sk


def _place(item: Document) -> tuple[str, str, str]:
    """In the index."""
    return item["created_at"]["S"], item["pk"]["S"], item["sk"]["S"]


def _check_size(item: Document) -> None:
    if sum(len(name.encode()) + _size(value) for name, value in item.items()) > LARGEST_ITEM:
        raise invalid("Item size has exceeded the maximum allowed size")


def _size(value: Document) -> int:
    ((kind, inner),) = value.items()
    match kind:
        case "M":
            return 3 + sum(1 + len(name.encode()) + _size(item) for name, item in inner.items())
        case "L":
            return 3 + sum(1 + _size(item) for item in inner)
        case "NULL" | "BOOL":
            return 1
        case "B":
            return len(inner)
        case "SS" | "NS" | "BS":
            return sum(len(item) for item in inner)
    return len(inner.encode())
