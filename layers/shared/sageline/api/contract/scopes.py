"""Which scopes a token needs for which route, where callers come with tokens and not with AWS keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PREDICT: Final = "sageline/predict"
READ: Final = "sageline/read"
CHANGE: Final = "sageline/change"

SCOPES: Mapping[str, str] = {
    PREDICT: "Send rows to endpoints and get predictions.",
    READ: "Look at datasets, runs and endpoints.",
    CHANGE: "Upload datasets; start and stop runs; change and delete endpoints.",
}

ROUTE_SCOPES: Mapping[str, tuple[str, ...]] = {
    "POST /datasets": (CHANGE,),
    "POST /datasets/inspect": (READ,),
    "POST /datasets/{name}/complete": (CHANGE,),
    "POST /pipelines": (CHANGE,),
    "GET /pipelines": (READ,),
    "GET /pipelines/{id}": (READ,),
    "DELETE /pipelines/{id}": (CHANGE,),
    "GET /endpoints": (READ,),
    "GET /endpoints/{name}": (READ,),
    "PATCH /endpoints/{name}": (CHANGE,),
    "DELETE /endpoints/{name}": (CHANGE,),
    "GET /endpoints/{name}/schema": (READ, PREDICT),
    "POST /endpoints/{name}/batch": (CHANGE,),
    "POST /endpoints/{name}/promote": (CHANGE,),
    "POST /endpoints/{name}/rollback": (CHANGE,),
    "POST /endpoints/{name}/predictions": (PREDICT,),
    "GET /openapi.json": (READ, PREDICT, CHANGE),
}
"""Of each route the scopes of which a token needs one."""
