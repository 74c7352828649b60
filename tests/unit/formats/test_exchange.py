from __future__ import annotations

import pytest

from sageline.errors import InvalidSpec
from sageline.formats.exchange import ANSWERS, Exchange, answering, exchange_for

RECORDS, JSON, LINES, NPY = "application/x-recordio-protobuf", "application/json", "application/jsonlines", "application/x-npy"


def channels(exchange: Exchange) -> tuple[str | None, str, bool]:
    return exchange.channel_content_type, exchange.file_extension, exchange.single_file


def endpoint(exchange: Exchange) -> tuple[str, str]:
    return exchange.request_content_type, exchange.accept


def transform(exchange: Exchange) -> tuple[str, str, str, str, str]:
    return (
        exchange.batch_content_type,
        exchange.batch_accept,
        exchange.batch_extension,
        exchange.split_type,
        exchange.assemble_with,
    )


@pytest.mark.parametrize(
    ("avoids_csv", "channel", "sent"),
    [
        (False, ("text/csv", "csv", False), ("text/csv", "csv", "Line")),
        (True, ("text/libsvm", "libsvm", False), (RECORDS, "recordio", "RecordIO")),
    ],
)
@pytest.mark.parametrize("kind", ["columns", "image"])
def test_xgboost_takes_csv_or_learns_from_libsvm_and_is_asked_in_recordio(
    kind: str, avoids_csv: bool, channel: tuple[str, str, bool], sent: tuple[str, str, str]
) -> None:
    content_type, extension, split = sent
    exchange = exchange_for("xgboost", kind, None, avoids_csv=avoids_csv)

    assert channels(exchange) == channel
    assert endpoint(exchange) == (content_type, "text/csv")
    # Its answers end with a line feed each, so nothing needs to be put between them.
    assert transform(exchange) == (content_type, "text/csv", extension, split, "None")


@pytest.mark.parametrize(("answers", "accept"), [("linear-learner", JSON), ("knn", "application/json; verbose=true")])
@pytest.mark.parametrize("kind", ["columns", "image"])
def test_the_other_algorithms_of_rows_take_recordio_for_everything(answers: str, accept: str, kind: str) -> None:
    exchange = exchange_for(answers, kind, None, avoids_csv=False)

    assert channels(exchange) == (RECORDS, "recordio", False)
    assert endpoint(exchange) == (RECORDS, accept)
    assert transform(exchange) == (RECORDS, LINES, "recordio", "RecordIO", "Line")


def test_blazingtext_takes_a_single_file_of_lines() -> None:
    exchange = exchange_for("blazingtext", "tokens", None, avoids_csv=False)

    assert channels(exchange) == ("text/plain", "txt", True)
    assert endpoint(exchange) == (JSON, JSON)
    assert transform(exchange) == (LINES, LINES, "jsonl", "Line", "Line")


@pytest.mark.parametrize(
    ("answers", "sent", "extension"), [("tensorflow", JSON, "json"), ("scikit-learn", NPY, "npy"), ("pytorch", NPY, "npy")]
)
@pytest.mark.parametrize(("channel_format", "channel"), [(None, None), ("npy", None), ("csv", "text/csv")])
def test_scripts_take_arrays_or_csv_and_a_transform_job_sends_whole_files(
    answers: str, sent: str, extension: str, channel_format: str | None, channel: str | None
) -> None:
    exchange = exchange_for(answers, "columns", channel_format, avoids_csv=True)

    assert channels(exchange) == (channel, "csv" if channel else "npy", False)
    assert endpoint(exchange) == (sent, JSON)
    assert transform(exchange) == (sent, JSON, extension, "None", "None")


@pytest.mark.parametrize(("answers", "kind"), [(name, "tokens") for name in ANSWERS if name != "blazingtext"])
def test_tokens_are_for_blazingtext_alone(answers: str, kind: str) -> None:
    with pytest.raises(InvalidSpec, match=f"The encoder 'tokens' does not go with {answers}"):
        exchange_for(answers, kind, None, avoids_csv=False)
    with pytest.raises(InvalidSpec, match="The encoder 'columns' does not go with blazingtext"):
        exchange_for("blazingtext", "columns", None, avoids_csv=False)


def test_a_script_is_answered_for_by_its_framework() -> None:
    assert [answering("knn"), answering("script", "pytorch"), answering("tensorflow")] == ["knn", "pytorch", "tensorflow"]
