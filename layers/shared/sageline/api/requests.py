"""What the routes take, as types: their keys are those that a request is checked for, and the contract is made of them.

Its annotations are read at once, not kept as texts: else nobody could tell which keys are required.
"""

from typing import (
    Annotated,
    NotRequired,  # pydantic reads no other on Python 3.11
)

from typing_extensions import TypedDict

from sageline.json_objects import Keywords
from sageline.names import DATA_FORMATS, NAME_MAX_LENGTH
from sageline.spec.model import BatchSpec, Spec

NAME = Keywords(pattern="^[a-z0-9](-?[a-z0-9])*$", maxLength=NAME_MAX_LENGTH)
MAX_WEIGHT = 1_000_000
MAX_TTL_HOURS = 8760


class UploadBody(TypedDict):
    """A file to upload: all of a dataset, or with ``file`` one of its parts."""

    name: Annotated[str, NAME]
    bytes: Annotated[int, Keywords(minimum=1, description="The file's length.")]
    md5: Annotated[str, Keywords(pattern="^[0-9a-fA-F]{32}$", description="The file's MD5 sum, as md5sum prints it.")]
    format: NotRequired[Annotated[str, Keywords(enum=list(DATA_FORMATS), default="csv")]]
    file: NotRequired[
        Annotated[str | None, Keywords(description="The name of a part, such as data-00.csv, in the place of `format`.")]
    ]
    spec: NotRequired[Spec | None]


class InspectionBody(TypedDict):
    """A dataset that is in the bucket: its URI, or the name that it was uploaded by."""

    uri: NotRequired[Annotated[str, Keywords(description="Below datasets/ of the stack's bucket.")]]
    name: NotRequired[Annotated[str, NAME]]
    spec: NotRequired[Spec | None]


class RunBody(TypedDict):
    """What a run is to do; its data are in the bucket."""

    spec: Spec


class CompletionBody(TypedDict):
    """Nothing: all that there is to say is in the path."""


class EndpointBody(TypedDict):
    """Changes of an endpoint, at least one of them."""

    weights: NotRequired[
        Annotated[
            dict[str, Annotated[float, Keywords(minimum=0, maximum=MAX_WEIGHT)]],
            Keywords(minProperties=1, description="By variant; one that is not named keeps its own."),
        ]
    ]
    ttl_hours: NotRequired[
        Annotated[
            Annotated[float, Keywords(exclusiveMinimum=0, maximum=MAX_TTL_HOURS)] | None,
            Keywords(description="Hours until the endpoint is deleted; null keeps it."),
        ]
    ]


class PromotionBody(TypedDict):
    """The variant that is to have all the traffic."""

    variant: str


class BatchBody(BatchSpec):
    """Rows of a file to score, and by which variant; by default the one of most weight."""

    variant: str | None = None
