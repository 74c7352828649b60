"""What rows to predict look like, as types."""

from __future__ import annotations

from typing import (
    Annotated,
    NotRequired,  # pydantic reads no other on Python 3.11
    TypeAlias,
)

from typing_extensions import TypedDict

from sageline.json_objects import Keywords

Kind: TypeAlias = Annotated[str, Keywords(enum=["text", "number", "category", "date", "pixel", "image"])]


class ColumnDescription(TypedDict):
    """A column of rows to predict; of a category the values that the model tells apart, the most frequent first."""

    name: str
    kind: Kind
    required: Annotated[bool, Keywords(description="Whether it must be there, and not null.")]
    values: NotRequired[list[str]]
    different_values: NotRequired[int]


class LabelDescription(TypedDict):
    """What is predicted; of a regression the last two are null."""

    name: str
    classes: int | None
    labels: list[str] | None


class RowDescription(TypedDict):
    """The columns of rows to predict, and the label; a shape of images only."""

    columns: list[ColumnDescription]
    column_count: int
    image_shape: list[int] | None
    label: LabelDescription
