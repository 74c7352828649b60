"""How columns are encoded: the part of the spec that the encoder is fitted by."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, TypeVar, get_args

from pydantic import Field

from sageline.spec.section import BaseSpec

PartOfDate: TypeAlias = Literal["days", "year", "month", "day", "weekday", "hour", "day_of_year"]


class NumberSpec(BaseSpec):
    """Columns of numbers. What the options need (means, ranges) is taken from the train split."""

    missing: Literal["keep", "mean", "median", "value"] = Field(
        "keep",
        description="Missing numbers: kept missing, which XGBoost learns from, or replaced. The median of more than 65,536 "
        "numbers is exact where they are whole and small, and else less than 0.8 % away.",
    )
    missing_value: float = Field(0.0, allow_inf_nan=False, description="What replaces a missing number for `missing: value`.")
    indicator: bool = Field(
        True,
        description="Where missing numbers are replaced, and train rows had some: one more column, 1 where one was missing.",
    )
    scale: Literal["none", "standard", "min-max"] = Field(
        "none", description="Numbers: as they are, or minus the mean and divided by the standard deviation, or from 0 to 1."
    )


class CategorySpec(BaseSpec):
    """Columns of categories. Their values, and what these tell of the label, are taken from the train split."""

    max_categories: int = Field(
        100,
        ge=1,
        le=10_000,
        description="A column of at most so many different values is encoded as `encoding` says; one of more by how frequent its "
        "value is and by the mean label of the train rows that have it, without those of the row's own fold.",
    )
    encoding: Literal["one-hot", "ordinal"] = Field(
        "one-hot",
        description="`one-hot`: a column per value, all 0 where the value is missing or was not seen in training. `ordinal`: "
        "one column with the value's index in the sorted list of values, -1 where it is missing or was not seen.",
    )
    smoothing: float = Field(
        10.0,
        ge=0,
        allow_inf_nan=False,
        description="As many rows of the overall mean are added to each value's own before its mean label is taken.",
    )


class DateSpec(BaseSpec):
    """Columns of dates. Missing ones, and how parts are scaled, are as `encoder.number` says."""

    parts: list[PartOfDate] = Field(
        default_factory=lambda: list(get_args(PartOfDate)),
        min_length=1,
        description="Numbers that a date becomes: days since 1970, year, month, day, weekday (Monday is 0), hour, day of the "
        "year. `hour` is left out where no date has a time of day.",
    )
    order: Literal["day-first", "month-first"] | None = Field(
        None,
        description="Which comes first in dates such as `03.04.2021`, the day or the month. Default: as the column's values say; "
        "where none does, as is usual with their signs (see `reasons`). A year of four digits may always come first.",
    )


class TextSpec(BaseSpec):
    """Columns of text: how often each word of the vocabulary occurs, and how long the text is."""

    max_words: int = Field(
        2000, ge=1, le=100_000, description="Size of the vocabulary: the most frequent words of the train split."
    )
    mode: Literal["count", "binary", "frequency", "tf-idf"] = Field("count", description="What a word's cell holds.")
    ngrams: int = Field(1, ge=1, le=3, description="2: pairs of neighbouring words are words of the vocabulary too; 3: triples.")
    sublinear: bool = Field(False, description="1 + ln(count) in place of the count.")
    hash_bits: int | None = Field(
        None,
        ge=8,
        le=20,
        description="No vocabulary: words are hashed into 2 to the power of so many columns; some words share one.",
    )
    statistics: bool = Field(True, description="Three more columns: words, characters, share of capitals among the letters.")


class NumberColumnSpec(NumberSpec):
    """One column of numbers."""

    kind: Literal["number"] = "number"


class CategoryColumnSpec(CategorySpec):
    """One column of categories."""

    kind: Literal["category"] = "category"


class DateColumnSpec(DateSpec):
    """One column of dates."""

    kind: Literal["date"] = "date"


class TextColumnSpec(TextSpec):
    """One column of text."""

    kind: Literal["text"] = "text"


ColumnSpec: TypeAlias = Annotated[
    NumberColumnSpec | CategoryColumnSpec | DateColumnSpec | TextColumnSpec, Field(discriminator="kind")
]


class ColumnsSpec(BaseSpec):
    """Any table: each column encoded as its kind is, the encoded columns side by side."""

    kind: Literal["columns"] = "columns"
    layout: Literal["dense", "sparse"] | None = Field(
        None, description="How encoded rows are stored. Default: whichever takes clearly less (see `reasons`)."
    )
    number: NumberSpec = Field(default_factory=NumberSpec)
    category: CategorySpec = Field(default_factory=CategorySpec)
    date: DateSpec = Field(default_factory=DateSpec)
    text: TextSpec = Field(default_factory=TextSpec)
    join_texts: bool = Field(
        False, description="Text columns without options of their own are read as one text, with one vocabulary."
    )
    columns: dict[str, ColumnSpec] = Field(
        default_factory=dict, description="Options of single columns, over those of their kind; `kind` as in `dataset.features`."
    )

    def number_of(self, column: str) -> NumberSpec:
        """The options of a column of numbers."""
        given = self.columns.get(column)
        return _over(self.number, given) if isinstance(given, NumberSpec) else self.number

    def category_of(self, column: str) -> CategorySpec:
        """The options of a column of categories."""
        given = self.columns.get(column)
        return _over(self.category, given) if isinstance(given, CategorySpec) else self.category

    def date_of(self, column: str) -> DateSpec:
        """The options of a column of dates."""
        given = self.columns.get(column)
        return _over(self.date, given) if isinstance(given, DateSpec) else self.date

    def text_of(self, column: str) -> TextSpec:
        """The options of a column of text."""
        given = self.columns.get(column)
        return _over(self.text, given) if isinstance(given, TextSpec) else self.text

    def completed(self) -> ColumnsSpec:
        """The same with every option of single columns written out, so that it says the same when it is read again."""
        of_kind: dict[str, BaseSpec] = {"number": self.number, "category": self.category, "date": self.date, "text": self.text}
        return self.model_copy(
            update={"columns": {name: _over(of_kind[given.kind], given) for name, given in self.columns.items()}}
        )


Options = TypeVar("Options", bound=BaseSpec)


def _over(of_kind: BaseSpec, given: Options) -> Options:
    """A column's options, and those of its kind where it has none of its own."""
    return given.model_copy(update={key: value for key, value in of_kind if key not in given.model_fields_set})


class ImageSpec(BaseSpec):
    """Pixels: image files, columns such as pixel0 to pixel783 of a CSV, or the array `x` or `images` of an npz file."""

    kind: Literal["image"] = "image"
    shape: list[Annotated[int, Field(ge=1)]] | None = Field(
        None,
        min_length=2,
        max_length=3,
        description="[height, width] or [height, width, channels]. Default: what the columns' names say, or else square; of "
        "image files, which are resized to it, what most of them are like, with at most 4,096 numbers (see `reasons`).",
    )
    scale: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="Multiplies every pixel. Default: 1/255, or 1 where no pixel exceeds 1."
    )


class TokensSpec(BaseSpec):
    """Lines of words for BlazingText: the label, then the words of the text; several text columns are read as one text."""

    kind: Literal["tokens"] = "tokens"


EncoderSpec: TypeAlias = Annotated[ColumnsSpec | TokensSpec | ImageSpec, Field(discriminator="kind")]


def of_before(encoder: object) -> object:
    """An encoder's document of version 0.1, whose kinds `table` and `bag-of-words` are `columns` now, as one of today; any other
    as it is. Resolved specs of runs that were under way during an upgrade have them."""
    if not isinstance(encoder, dict):
        return encoder
    options = {key: value for key, value in encoder.items() if key != "kind"}
    match encoder.get("kind"):
        case "bag-of-words":
            return {"kind": "columns", "text": {**options, "statistics": False}, "join_texts": True}
        case "table":
            category = {key: options.pop(old) for old, key in _CATEGORY_KEYS.items() if old in options}
            return {"kind": "columns", "number": {**options, "indicator": False}, "category": category}
    return encoder


_CATEGORY_KEYS = {"max_categories": "max_categories", "categories": "encoding"}
