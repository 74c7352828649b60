"""List calls: filters, orders, and pages while documents come and go."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from botocore.model import StringShape
from hypothesis import given
from hypothesis import strategies as st

from emulator_tests.support import Api
from sagemaker_emulator.errors import ServiceError
from sagemaker_emulator.listing import Listing
from sagemaker_emulator.protocol import service_model
from sagemaker_emulator.store import Store

LISTING = Listing("ListThings", "Name", status="State", ascending=("Name",))
DOCUMENTS = [
    {"Name": "b", "State": "Completed", "CreationTime": 1.0, "LastModifiedTime": 10.0},
    {"Name": "a", "State": "Failed", "CreationTime": 2.0, "LastModifiedTime": 20.0},
    {"Name": "ab", "State": "Failed", "CreationTime": 3.0, "LastModifiedTime": 30.0},
]


def names(**request: object) -> list[str]:
    return [document["Name"] for document in LISTING.page(DOCUMENTS, request)[0]]


def test_the_newest_comes_first_by_default() -> None:
    assert names() == ["ab", "a", "b"]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"NameContains": "A"}, ["ab", "a"]),
        ({"StatusEquals": "Completed"}, ["b"]),
        ({"CreationTimeAfter": 1.0}, ["ab", "a"]),
        ({"CreationTimeBefore": "1970-01-01T00:00:02Z"}, ["b"]),
        ({"LastModifiedTimeAfter": 20.0}, ["ab"]),
        ({"LastModifiedTimeBefore": 20.0}, ["b"]),
        ({"SortBy": "Name"}, ["a", "ab", "b"]),
        ({"SortBy": "Name", "SortOrder": "Descending"}, ["b", "ab", "a"]),
        ({"SortBy": "Status"}, ["ab", "a", "b"]),
        ({"SortBy": "Status", "SortOrder": "Ascending"}, ["b", "a", "ab"]),
        ({"SortBy": "CreationTime", "SortOrder": "Ascending"}, ["b", "a", "ab"]),
    ],
)
def test_filters_and_order(request_: dict[str, object], expected: list[str]) -> None:
    assert names(**request_) == expected


def test_pages_follow_each_other_without_gaps() -> None:
    first, more = LISTING.page(DOCUMENTS, {"MaxResults": 2})
    second, end = LISTING.page(DOCUMENTS, {"MaxResults": 2, **more})

    assert [document["Name"] for document in first + second] == ["ab", "a", "b"]
    assert end == {}


ROWS = st.builds(
    lambda number, created, state: {"Name": f"job-{number}", "State": state, "CreationTime": created, "LastModifiedTime": 0.0},
    st.integers(0, 30),
    st.sampled_from([1.0, 2.0, 2.5, 3.0]),
    st.sampled_from(["Completed", "Failed"]),
)
TABLES = st.lists(ROWS, max_size=12, unique_by=lambda row: row["Name"])


@given(
    tables=st.lists(TABLES, min_size=1, max_size=5),
    most=st.integers(1, 4),
    by=st.sampled_from(["Name", "CreationTime", "Status"]),
    order=st.sampled_from(["Ascending", "Descending"]),
)
def test_what_stays_is_listed_once_while_others_come_and_go_between_the_pages(
    tables: list[list[dict[str, Any]]], most: int, by: str, order: str
) -> None:
    stays = [row for row in tables[0] if all(row in table for table in tables)]
    request: dict[str, object] = {"MaxResults": most, "SortBy": by, "SortOrder": order}
    listed: list[dict[str, Any]] = []

    for page in range(40):
        rows, more = LISTING.page(tables[min(page, len(tables) - 1)], {**request})
        listed += rows
        if not more:
            break
        request.update(more)

    assert [listed.count(row) for row in stays] == [1] * len(stays)
    assert all(listed.count(row) == 1 for row in listed)
    places = [((row["State"] if by == "Status" else row[by]), row["Name"]) for row in listed]
    assert places == sorted(places, reverse=order == "Descending")


def forged(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


OF_ANOTHER_ORDER = LISTING.page(DOCUMENTS, {"MaxResults": 1, "SortBy": "Name"})[1]["NextToken"]
OF_ANOTHER_LIST = Listing("ListOthers", "Name").page(DOCUMENTS, {"MaxResults": 1})[1]["NextToken"]
OF_ANOTHER_OWNER = LISTING.page(DOCUMENTS, {"MaxResults": 1}, within="job-2")[1]["NextToken"]


@pytest.mark.parametrize(
    "token",
    [
        *("nonsense", "bm9uc2Vuc2U=", "AA==", "é", OF_ANOTHER_ORDER, OF_ANOTHER_LIST, OF_ANOTHER_OWNER),
        *(forged(), forged("ListThings", "", "CreationTime", True, "text", "a")),
        *(forged("ListThings", "", "CreationTime", True, 1.0, 1), forged("ListThings", "", "CreationTime", True, None, "a")),
        *(base64.urlsafe_b64encode(text).decode() for text in (b"5", b"[" * 6_000)),
    ],
)
def test_a_token_of_another_list_or_of_nobody_is_refused(token: str) -> None:
    with pytest.raises(ServiceError, match="Invalid NextToken") as refused:
        LISTING.page(DOCUMENTS, {"NextToken": token})

    assert refused.value.code == "ValidationException"


def test_a_filter_may_change_between_two_pages() -> None:
    _, more = LISTING.page(DOCUMENTS, {"MaxResults": 1})

    assert [row["Name"] for row in LISTING.page(DOCUMENTS, {"StatusEquals": "Failed", **more})[0]] == ["a"]


@pytest.mark.parametrize("wanted", [{"StatusEquals": "Completed"}, {"NameContains": "b", "StatusEquals": "Completed"}])
def test_a_page_may_be_that_of_all_and_be_filtered_then(wanted: dict[str, str]) -> None:
    listing = Listing("ListThings", "Name", status="State", filters_within_page=True)

    first, more = listing.page(DOCUMENTS, {"MaxResults": 2, **wanted})
    second, end = listing.page(DOCUMENTS, {"MaxResults": 2, **wanted, **more})

    assert (first, [row["Name"] for row in second], end) == ([], ["b"], {})


@pytest.mark.parametrize(
    ("operation", "pages"),
    [
        ("ListModels", [0, 1]),
        ("ListTrainingJobs", [0, 1]),
        ("ListEndpointConfigs", [1]),
        ("ListEndpoints", [1]),
        ("ListTransformJobs", [1]),
        ("ListHyperParameterTuningJobs", [1]),
    ],
)
def test_which_lists_filter_within_the_page(kept: Api, operation: str, pages: list[int]) -> None:
    member, _ = LISTS[operation]
    request: dict[str, Any] = {"MaxResults": 2, "NameContains": "six", "SortBy": "CreationTime", "SortOrder": "Descending"}

    sizes = []
    while True:
        answer = kept.ok(operation, **request)
        sizes.append(len(answer[member]))
        if "NextToken" not in answer:
            break
        request["NextToken"] = answer["NextToken"]

    assert sizes == pages


def arn(kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:us-east-1:000000000000:{kind}/{name}"


def job(noun: str, kind: str, name: str, created: float, status: str) -> dict[str, Any]:
    times = {"CreationTime": created, "LastModifiedTime": created + 1}
    return {f"{noun}Name": name, f"{noun}Arn": arn(kind, name), f"{noun}Status": status, **times}


def trial(name: str, created: float, status: str, score: float) -> dict[str, Any]:
    return {
        **job("TrainingJob", "training-job", name, created, status),
        "SecondaryStatus": status,
        "ResourceConfig": {},
        "TuningJobArn": arn("hyper-parameter-tuning-job", "two"),
        "FinalMetricDataList": [{"MetricName": "ObjectiveMetric", "Value": score}],
        "_tuned": {},
    }


TUNING = {
    "HyperParameterTuningJobConfig": {
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "score"},
        "ResourceLimits": {"MaxParallelTrainingJobs": 1},
    },
}
# Names, times, statuses and objectives are each in another order.
THREE = (("two", 3.0, "Completed", 2.0), ("one", 2.0, "Failed", 3.0), ("six", 1.0, "Stopped", 1.0))
KEPT: dict[str, list[dict[str, Any]]] = {
    "model": [{"ModelName": name, "ModelArn": arn("model", name), "CreationTime": at} for name, at, *_ in THREE],
    "endpoint-config": [
        {"EndpointConfigName": name, "EndpointConfigArn": arn("endpoint-config", name), "CreationTime": at}
        for name, at, *_ in THREE
    ],
    "endpoint": [job("Endpoint", "endpoint", name, at, status) for name, at, status, _ in THREE],
    "training-job": [trial(*row) for row in THREE],
    "transform-job": [job("TransformJob", "transform-job", name, at, status) for name, at, status, _ in THREE],
    "hyper-parameter-tuning-job": [
        {
            **job("HyperParameterTuningJob", "hyper-parameter-tuning-job", name, at, status),
            **TUNING,
            "_trials": ["two", "one", "six"],
        }
        for name, at, status, _ in THREE
    ],
}
ORDERS = {
    "Name": ["one", "six", "two"],
    "CreationTime": ["six", "one", "two"],
    "Status": ["two", "one", "six"],
    "FinalObjectiveMetricValue": ["six", "two"],
}
LISTS = {
    "ListModels": ("Models", "ModelName"),
    "ListEndpointConfigs": ("EndpointConfigs", "EndpointConfigName"),
    "ListEndpoints": ("Endpoints", "EndpointName"),
    "ListTrainingJobs": ("TrainingJobSummaries", "TrainingJobName"),
    "ListTransformJobs": ("TransformJobSummaries", "TransformJobName"),
    "ListHyperParameterTuningJobs": ("HyperParameterTuningJobSummaries", "HyperParameterTuningJobName"),
    "ListTrainingJobsForHyperParameterTuningJob": ("TrainingJobSummaries", "TrainingJobName"),
}
DEFAULTS = {
    "ListHyperParameterTuningJobs": ORDERS["Name"],
    "ListTrainingJobsForHyperParameterTuningJob": ORDERS["Name"],
}


@pytest.fixture(scope="module")
def kept(api: Api) -> Api:
    """The service, with three documents of each kind."""
    store = Store(api.home / "sagemaker.db")
    for kind, documents in KEPT.items():
        for document in documents:
            assert store.insert(kind, next(iter(document.values())), document)
    store.close()
    return api


def listed(api: Api, operation: str, **order: str) -> list[str]:
    request: dict[str, Any] = {"MaxResults": 2, **order}
    if operation == "ListTrainingJobsForHyperParameterTuningJob":
        request["HyperParameterTuningJobName"] = "two"
    member, name = LISTS[operation]
    found: list[str] = []
    while True:
        answer = api.ok(operation, **request)
        found += [summary[name] for summary in answer[member]]
        if "NextToken" not in answer:
            return found
        request["NextToken"] = answer["NextToken"]


def sort_orders(operation: str) -> tuple[str, ...]:
    """SortBy's values in the model of the service."""
    shape = service_model().operation_model(operation).input_shape
    assert shape is not None
    member = shape.members["SortBy"]
    assert isinstance(member, StringShape)
    return tuple(member.enum)


@pytest.mark.parametrize(("operation", "by"), [(name, by) for name in LISTS for by in sort_orders(name)])
def test_every_list_has_every_order_of_the_model(kept: Api, operation: str, by: str) -> None:
    assert listed(kept, operation, SortBy=by, SortOrder="Ascending") == ORDERS[by]
    assert listed(kept, operation, SortBy=by, SortOrder="Descending") == ORDERS[by][::-1]


@pytest.mark.parametrize("operation", LISTS)
def test_the_order_where_none_is_asked_for(kept: Api, operation: str) -> None:
    assert listed(kept, operation) == DEFAULTS.get(operation, ORDERS["CreationTime"][::-1])


def test_a_token_of_one_operation_is_refused_by_another(kept: Api) -> None:
    token = kept.ok("ListModels", MaxResults=1)["NextToken"]

    refused = kept.refused("ListEndpointConfigs", NextToken=token)

    assert (refused.status, refused.code) == (400, "ValidationException")


@pytest.mark.parametrize("most", [0, 101])
def test_a_page_has_1_to_100_documents(kept: Api, most: int) -> None:
    assert "at 'maxResults' failed to satisfy constraint" in kept.refused("ListModels", MaxResults=most).message
