"""Requests to the HTTP API as nobody should send them, drawn at random around right ones; and what an answer must be."""

from __future__ import annotations

import base64
import copy
import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode

Json: TypeAlias = dict[str, Any]  # Any: an event, or a body

SEED = 20_261_129
BUCKET = "sageline-data"
ENDPOINT, RUN, OTHER_RUN = "wines", "wines-20261120100000-0a1b2c", "wines-20261121100000-3d4e5f"

ROUTES = (
    *("POST /datasets", "POST /datasets/inspect", "POST /datasets/{name}/complete"),
    *("POST /pipelines", "GET /pipelines", "GET /pipelines/{id}", "DELETE /pipelines/{id}"),
    *("GET /endpoints", "GET /endpoints/{name}", "PATCH /endpoints/{name}", "DELETE /endpoints/{name}"),
    *("POST /endpoints/{name}/promote", "POST /endpoints/{name}/rollback"),
    *("POST /endpoints/{name}/predictions", "POST /endpoints/{name}/batch"),
    *("GET /endpoints/{name}/schema", "GET /openapi.json"),
)

OF_PREDICTIONS = "POST /endpoints/{name}/predictions"

ODD_NAMES = (
    *("wines\n", "wines\r\n", "\nwines", "wines\0", "\0", "wi nes", " wines", "wines ", "wines/", "/", "..", "../wines", "."),
    *("-wines", "wines-", "wi_nes", "wi--nes", "WINES", "wïnes", "٣", "ワイン", "🍷", "\ud800", "a" * 63, "a" * 64, "a" * 1025),
    *("a" * 2049, "a-" * 700, "-" * 63, "a" + "-" * 70 + "b", "%0a", "%2e%2e", "wines?x=1", "wines#x", "wines;x", "wines,other"),
    *("arn:aws:sagemaker:us-east-1:123456789012:endpoint/wines", "*", "${wines}", "{name}", "<script>", "' OR 1=1 --", '"', "\\"),
    *("null", "undefined", "NaN", "0", "-1", "true", "[]", "\u202e", "\x7f", "\x85", "\u2028", "wines\t", "wines\x0b"),
)
"""Of endpoints and runs; most gave a 500 once."""
ODD_BODIES = (
    *("", " ", "\0", "null", "[]", '"text"', "7", "NaN", '{"a": NaN}', '{"a": -Infinity}', "{", "{]", '{"a": 1}}', "\ufeff{}"),
    *('{"name": "wines", "name": "wines"}', '{"instances": [{"alcohol": 1, "alcohol": 2}]}', '{"a": ' + "9" * 5000 + "}"),
    *('{"a": ' + "[" * 100_000, '{"a": ' + "[" * 900 + "]" * 900 + "}", '{"a": ' * 2000, '{"\\ud800": "\\ud800"}', "{'a': 1}"),
)
_DEEP: Any = []
for _ in range(400):
    _DEEP = [_DEEP]
ODD_TABLES = (
    *(
        "",
        "\n",
        "\r",
        ",",
        '"',
        '""',
        '"a"b',
        '"a',
        "\0",
        "\ufeff",
        "alcohol",
        "alcohol\n",
        "alcohol,colour\n",
        "alcohol,alcohol\n1,2",
    ),
    *("13.2,red", "13.2,red\n12,white\n", "alcohol,colour\r\n13.2,red\r\n", "colour\nred", ",\n,", "Alcohol\n1", "a\rb\n1"),
    *("NaN,red", "1e999,red", "9" * 5000 + ",red", "=1+1,red", "13.2," + "x" * 200_000, "13.2,red\n" * 1_001, "," * 10_000),
    *(
        '{"alcohol": 1}\n[1, "red"]\n',
        '{"alcohol": 1}\n{"alcohol": }',
        '{"alcohol": 1, "alcohol": 2}',
        "NaN",
        "1\n" + "[" * 100_000,
    ),
    *('{"alcohol": "\\ud800"}', '"\u2028"', "null\n" * 3, "[]", "{}", "7", '{"instances": []}', "1 2", "\ud800"),
)
"""Bodies of predictions that are, or are nearly, CSV and JSON Lines."""
ODD_TYPES = (
    *(
        "text/csv",
        "text/csv; header=present",
        "text/csv; header=absent",
        "text/csv; header=",
        "text/csv; charset=utf-16",
        "TEXT/CSV;",
    ),
    *(
        "application/jsonlines",
        "application/x-ndjson",
        "application/json",
        "application/a+json",
        "text/plain",
        "image/png",
        "csv",
    ),
    *(
        "text/csv; header*=utf-8''absent",
        "text/csv; header*=x''%ff",
        'text/csv; header="',
        ";",
        "/",
        "text/csv; charset*=a",
        "\0",
    ),
)
ODD_ACCEPTS = ("", "*/*", "text/html", "*/*;q=0", "application/json;q=abc", ",", ";q=1", '"', "\0", "application/json;q=1e999")
"""Whose answer is JSON."""
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**63, -(10**30), 10**4000, 0.1, -0.0, 1e308, float("inf"), "", "\0", "\ud800", "x" * 70_000),
    *("\n", "=1+1", [], {}, [None], {"": ""}, {"\ud800": 1}, {"a" * 5000: 1}, _DEEP, [[]] * 300, "s3://", "s3://b/k.csv\n"),
    *({f"c{number}": "x" for number in range(1_000)}, [1] * 1_000, "(a{99999999999})", "(" * 3000 + ")" * 3000),
    *(
        f"s3://{BUCKET}/batch/" + "k" * 2000 + ".csv",
        f"s3://{BUCKET}/batch/\0.csv",
        f"s3://{BUCKET}/batch/../x.csv",
        "ml.m5.xlarge\n",
    ),
)
RIGHT_BODIES: Mapping[str, Json] = {
    "POST /datasets": {
        "name": "wines",
        "bytes": 4,
        "md5": "f8a3c6e1" * 4,
        "format": "csv",
        "file": "data-00.csv",
        "spec": {"dataset": {"label": "grape"}},
    },
    "POST /datasets/inspect": {
        "uri": f"s3://{BUCKET}/datasets/wines/data.csv",
        "spec": {"dataset": {"label": "grape"}},
    },
    "POST /pipelines": {
        "spec": {
            "name": "wines",
            "dataset": {"uri": f"s3://{BUCKET}/datasets/wines/data.csv", "features": {"alcohol": "number"}},
            "algorithm": {"name": "xgboost", "hyperparameters": {"eta": 0.3}},
            "evaluation": {"metric": "accuracy", "at_least": {"accuracy": 0.5}},
            "tuning": {"ranges": {"eta": {"type": "continuous", "min": 0.1, "max": 0.5}}, "max_jobs": 4},
            "deployment": {"endpoint": "wines", "ttl_hours": 8},
        }
    },
    "PATCH /endpoints/{name}": {"weights": {RUN: 1.0}, "ttl_hours": 4},
    "POST /endpoints/{name}/promote": {"variant": RUN},
    "POST /endpoints/{name}/predictions": {
        "instances": [{"alcohol": 13.2, "colour": "red"}, [12, "white"]],
        "top_k": 2,
        "session": "customer-42",
        "strict": False,
    },
    "POST /endpoints/{name}/batch": {
        "input": f"s3://{BUCKET}/batch/wines/rows.csv",
        "variant": RUN,
        "instance_type": "ml.m5.xlarge",
        "instance_count": 1,
        "max_runtime_seconds": 3600,
    },
}
_ODD_KEYS: tuple[Json, ...] = (
    {"pk": f"RUN#{RUN}", "sk": "RUN", "kind": "run", "created_at": "2026-11-20T10:00:00.000Z"},
    {"pk": 7, "sk": "RUN", "kind": "run", "created_at": "x"},
    {"pk": "RUN#" + "a" * 3000, "sk": "RUN", "kind": "run", "created_at": "x"},
    {"pk": "JOB#x", "sk": "TOKEN", "kind": "run", "created_at": ""},
    {"pk": {"S": "x"}, "sk": None, "kind": [], "created_at": {}},
)
ODD_PARAMETERS = (
    *("1", "100", "0101", "٣", "wines", "", "=", "AAAA"),
    *(base64.urlsafe_b64encode(json.dumps(key).encode()).decode() for key in _ODD_KEYS),
)


@dataclass(frozen=True)
class OddRequest:
    """A request; ``body`` of bytes comes as base64, as API Gateway sends what is no text."""

    route: str
    name: str | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | bytes | None = None

    @property
    def method(self) -> str:
        return self.route.partition(" ")[0]

    def path(self, name: str | None) -> str:
        return re.sub(r"\{\w+\}", lambda _: name or "", self.route.partition(" ")[2])

    @property
    def target(self) -> str:
        """Path and query as they are sent, all that needs it percent-encoded."""
        path = self.path(quote(self.name or "", safe="", errors="surrogatepass"))
        query = urlencode(self.query, errors="surrogatepass")
        return f"{path}?{query}" if query else path

    def event(self) -> Json:
        """The event that API Gateway makes of it."""
        path = self.path(self.name)
        event: Json = {
            "version": "2.0",
            "routeKey": self.route,
            "rawPath": path,
            "headers": dict(self.headers),
            "queryStringParameters": dict(self.query),
            "pathParameters": dict.fromkeys(re.findall(r"\{(\w+)\}", self.route), self.name),
            "requestContext": {
                "http": {"method": self.method, "path": path},
                "requestId": "Kx8zQh01IAMEPYg=",
                "domainName": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
                "stage": "$default",
                "timeEpoch": 1795168800000,
            },
            "isBase64Encoded": isinstance(self.body, bytes),
        }
        if self.body is not None:
            event["body"] = base64.b64encode(self.body).decode() if isinstance(self.body, bytes) else self.body
        return event


def odd_requests(seed: int, count: int, routes: Sequence[str] = ROUTES) -> Iterator[OddRequest]:
    """Requests of all routes in turn: some of them right, most with one or two things that are odd, and so short to read."""
    draw = random.Random(seed)
    for number in range(count):
        route = routes[number % len(routes)]
        yield OddRequest(route, _name(draw, route), _query(draw, route), _headers(draw, route), _body(draw, route))


def _name(draw: random.Random, route: str) -> str | None:
    right = {"{id}": (RUN, OTHER_RUN), "{name}": (ENDPOINT,)}
    names = next((known for parameter, known in right.items() if parameter in route), None)
    if names is None:
        return None
    return draw.choice(names) if draw.random() < 0.5 else _text(draw) or "\0"


def _query(draw: random.Random, route: str) -> dict[str, str]:
    if route == OF_PREDICTIONS and draw.random() < 0.2:
        return {draw.choice(("top_k", "session", "strict", "probabilities", "topk")): draw.choice(("1", "true", _text(draw)))}
    if not route.startswith("GET") or draw.random() < 0.5:
        return {}
    key = draw.choice(("limit", "next_token", "name", "name")) if draw.random() < 0.8 else _text(draw)
    return {key: draw.choice(ODD_PARAMETERS) if draw.random() < 0.6 else _text(draw)}


def _headers(draw: random.Random, route: str) -> dict[str, str]:
    if route == OF_PREDICTIONS:
        drawn = {"content-type": draw.choice(ODD_TYPES), "accept": draw.choice(ODD_ACCEPTS)}
        return {name: value for name, value in drawn.items() if draw.random() < 0.4}
    if not route.startswith("POST") or draw.random() < 0.6:
        return {}
    keys = ("nightly", f"key-{draw.random()}", "k" * 255, "k" * 256, "a b", "")
    return {"idempotency-key": draw.choice(keys) if draw.random() < 0.8 else _text(draw)}


def _body(draw: random.Random, route: str) -> str | bytes | None:
    if route.startswith("GET"):
        return None
    if route == OF_PREDICTIONS and draw.random() < 0.4:
        body: str | bytes | None = draw.choice(ODD_TABLES)
    elif draw.random() < 0.15:
        body = draw.choice((*ODD_BODIES, None, _text(draw), draw.randbytes(12)))
    else:
        document = copy.deepcopy(dict(RIGHT_BODIES.get(route, {})))
        for _ in range(draw.choice((0, 1, 1, 1, 2))):
            _change(draw, document)
        # Infinity is no JSON; a number of too many digits is.
        body = json.dumps(document).replace("Infinity", draw.choice(("1e999", "1e999", "Infinity")))
    return body.encode(errors="surrogatepass") if isinstance(body, str) and draw.random() < 0.1 else body


def _change(draw: random.Random, document: Json) -> None:
    """Make one thing in a document another."""
    place: Any = document
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw.choice(keys) if keys else "a"
        inner = place[key] if keys else None
        if not isinstance(inner, dict | list) or not inner or draw.random() < 0.3:
            break
        place = inner
    kind = draw.random()
    if isinstance(place, list) or kind < 0.7:
        place[key] = _value(draw)
    elif kind < 0.9:
        place[_text(draw)] = _value(draw)
    else:
        place.pop(key, None)


def _value(draw: random.Random, depth: int = 0) -> Any:
    kind = draw.random()
    if kind < 0.5:
        return copy.deepcopy(draw.choice(ODD_VALUES))
    if kind < 0.7:
        return _text(draw)
    if kind < 0.8 or depth > 2:
        return draw.choice((draw.randint(-(2**40), 2**40), draw.uniform(-1e6, 1e6), True, False, None))
    if kind < 0.9:
        return [_value(draw, depth + 1) for _ in range(draw.randint(0, 2))]
    return {_text(draw): _value(draw, depth + 1) for _ in range(draw.randint(0, 2))}


def _text(draw: random.Random) -> str:
    kind = draw.random()
    if kind < 0.6:
        return draw.choice(ODD_NAMES)
    if kind < 0.8:
        return "".join(chr(draw.choice((draw.randrange(0x80), draw.randrange(0x110000)))) for _ in range(draw.randint(0, 12)))
    return draw.choice((ENDPOINT, RUN)) + draw.choice(ODD_NAMES)


_ERRORS = re.compile(r"^\| (\d{3}) \| ((?:`\w+`(?:, )?)+) \|", re.MULTILINE)
DOCUMENTED = {
    (int(status), code.strip("`"))
    for status, codes in _ERRORS.findall(Path("docs/api.md").read_text(encoding="utf-8"))
    for code in codes.split(", ")
}
"""Status and code of every error in docs/api.md."""
# What only the inside knows.
_INSIDE = re.compile(
    r"Traceback|botocore|pydantic|ClientError|/var/task|site-packages|An error occurred|arn:aws(?!:sagemaker:us-east-1)"
)


def complaint(status: int, text: str) -> str | None:
    """What is wrong with an answer; None if nothing is."""
    try:
        body = json.loads(text)
    except ValueError:
        return f"{status}, and no JSON: {text[:300]!r}"
    if 200 <= status < 300:
        return None if isinstance(body, dict) else f"{status}, and no object: {text[:300]!r}"
    match body:
        case {"error": {"code": str(code), "message": str(message), "details": dict()}} if (
            len(body["error"]) == 3 and len(body) == 1
        ):
            if status >= 500:
                return f"a fault of ours: {status} {code}: {message[:300]}"
            if (status, code) not in DOCUMENTED:
                return f"{status} {code} is not in docs/api.md"
            if found := _INSIDE.search(message):
                return f"{status} {code} tells of the inside, {found[0]!r}: {message[:300]}"
            return None if len(message) <= 4_000 else f"{status} {code}: a message of {len(message):,} characters"
        case _:
            return f"{status}, and no error document: {text[:300]!r}"
