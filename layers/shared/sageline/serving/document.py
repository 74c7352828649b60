"""The request for predictions and their answer in JSON, as types. Imports nothing heavy: it is on the prediction path."""

from typing import (
    Annotated,
    Any,
    NotRequired,  # pydantic reads no other on Python 3.11
    TypeAlias,
)

from typing_extensions import TypedDict

from sageline.json_objects import Keywords

MAX_SESSION_CHARACTERS = 256
MAX_INSTANCES = 1000


class PredictionOptions(TypedDict):
    """What may be asked besides the rows: in the query string, or beside the instances of a JSON body."""

    top_k: NotRequired[Annotated[int, Keywords(minimum=1, default=1, description="How many labels to name for each row.")]]
    session: NotRequired[
        Annotated[
            Annotated[str, Keywords(minLength=1, maxLength=MAX_SESSION_CHARACTERS)] | None,
            Keywords(description="The same session is answered by the same variant."),
        ]
    ]
    strict: NotRequired[Annotated[bool, Keywords(default=False, description="Whether what would be a warning is an error.")]]
    probabilities: NotRequired[
        Annotated[bool, Keywords(default=False, description="Whether to tell the probability of every class.")]
    ]


Instance: TypeAlias = dict[str, Any] | list[Any] | str  # Any: a value of whatever kind its column has
"""An object of columns, an array of all values in the columns' order, or the one text or image file."""


class PredictionBody(PredictionOptions):
    """Rows to predict; ``GET /endpoints/{name}/schema`` says what rows an endpoint takes."""

    instances: Annotated[list[Instance], Keywords(minItems=1, maxItems=MAX_INSTANCES)]


class RankedLabel(TypedDict):
    """A label with its probability; null where the model tells none."""

    label: str
    probability: float | None


class PredictedLabel(TypedDict):
    """The answer of a classification for one row."""

    label: str
    probability: float | None
    top: list[RankedLabel]
    probabilities: NotRequired[dict[str, float | None]]


class PredictedValue(TypedDict):
    """The answer of a regression for one row."""

    value: float


RowPrediction: TypeAlias = PredictedLabel | PredictedValue


class Predictions(TypedDict):
    """Answers in the order of the rows, and who gave them."""

    predictions: list[RowPrediction]
    endpoint: str
    variant: str
    model_version: str
    warnings: NotRequired[list[str]]
