"""What goes to a container and comes back: the formats of its channels, requests, and transform jobs.

They depend on whose answers are read, not on the image alone: a script in TensorFlow's image is answered for by TensorFlow
Serving. Sources: SageMaker developer guide, "Common data formats for training" and "for inference", "k-NN request and response
formats", "BlazingText algorithm"; https://www.tensorflow.org/tfx/serving/api_rest; the open-source serving containers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sageline.errors import InvalidSpec
from sageline.formats import csv, libsvm, npy, recordio
from sageline.formats.json_rows import JSON, JSON_LINES

TEXT = "text/plain"


@dataclass(frozen=True)
class Exchange:
    """Formats of one model.

    Attributes:
        channel_content_type: of the training channels; None where the files say themselves what they hold.
        file_extension: of a channel's files. ``npy`` stands for pairs: ``part-00000-x.npy`` and ``part-00000-y.npy``.
        single_file: a channel is one file, not any number of parts.
        request_content_type: of a request to the endpoint.
        accept: what the endpoint is asked to answer in.
        batch_content_type: of a transform job's input.
        batch_accept: what a transform job is asked to answer in.
        batch_extension: of the input's files.
        split_type: how SageMaker cuts a file into records: ``Line``, ``RecordIO``, or ``None``: a file is one request, so it must
            not be larger than a request may be.
        assemble_with: what SageMaker puts after each answer: ``Line`` where the container ends it without a line feed, else
            ``None``.
    """

    channel_content_type: str | None
    file_extension: str
    single_file: bool
    request_content_type: str
    accept: str
    batch_content_type: str
    batch_accept: str
    batch_extension: str
    split_type: str
    assemble_with: str


_XGBOOST_CSV = Exchange(
    channel_content_type=csv.CONTENT_TYPE,
    file_extension="csv",
    single_file=False,
    request_content_type=csv.CONTENT_TYPE,
    accept=csv.CONTENT_TYPE,
    batch_content_type=csv.CONTENT_TYPE,
    batch_accept=csv.CONTENT_TYPE,
    batch_extension="csv",
    split_type="Line",
    assemble_with="None",
)
# The container reads libsvm about seven times as fast as RecordIO, whose reader is written in Python, and in less memory
# (docs/scale.md). A request of libsvm may be read one column off, so requests and transform jobs take RecordIO.
_XGBOOST_SPARSE = replace(
    _XGBOOST_CSV,
    channel_content_type=libsvm.CONTENT_TYPE,
    file_extension="libsvm",
    request_content_type=recordio.CONTENT_TYPE,
    batch_content_type=recordio.CONTENT_TYPE,
    batch_extension="recordio",
    split_type="RecordIO",
)
_FIRST_PARTY = replace(
    _XGBOOST_SPARSE,
    channel_content_type=recordio.CONTENT_TYPE,
    file_extension="recordio",
    accept=JSON,
    batch_accept=JSON_LINES,
    assemble_with="Line",
)
# For lines of JSON there is no verbose answer, so a transform job gets labels without the neighbours.
_KNN = replace(_FIRST_PARTY, accept=f"{JSON}; verbose=true")
_BLAZINGTEXT = Exchange(
    channel_content_type=TEXT,
    file_extension="txt",
    single_file=True,
    request_content_type=JSON,
    accept=JSON,
    batch_content_type=JSON_LINES,
    batch_accept=JSON_LINES,
    batch_extension="jsonl",
    split_type="Line",
    assemble_with="Line",
)
# TensorFlow Serving's container takes a lone nested array in JSON Lines for several instances, so a file is one document.
_TENSORFLOW = Exchange(
    channel_content_type=None,
    file_extension="npy",
    single_file=False,
    request_content_type=JSON,
    accept=JSON,
    batch_content_type=JSON,
    batch_accept=JSON,
    batch_extension="json",
    split_type="None",
    assemble_with="None",
)
# Arrays keep the shape of images, and missing numbers; CSV would keep neither.
_ARRAYS = replace(_TENSORFLOW, request_content_type=npy.CONTENT_TYPE, batch_content_type=npy.CONTENT_TYPE, batch_extension="npy")
_EXCHANGES = {
    "linear-learner": _FIRST_PARTY,
    "knn": _KNN,
    "blazingtext": _BLAZINGTEXT,
    "tensorflow": _TENSORFLOW,
    "scikit-learn": _ARRAYS,
    "pytorch": _ARRAYS,
}

ANSWERS = ("xgboost", *_EXCHANGES)
"""Whose answers can be read."""


def answering(algorithm: str, framework: str | None = None) -> str:
    """Whose answers a model gives: its algorithm's, or, for ``script``, those of its framework."""
    return (framework or "tensorflow") if algorithm == "script" else algorithm


def exchange_for(answers: str, encoder_kind: str, channel_format: str | None, *, avoids_csv: bool) -> Exchange:
    """The formats of a model.

    Args:
        answers: whose answers are read, one of :data:`ANSWERS`.
        encoder_kind: ``columns``, ``tokens`` or ``image``.
        channel_format: of a script's channels: ``npy`` (as None), or ``csv`` with the label first.
        avoids_csv: the encoded rows are better not written as CSV where there is a choice.

    Raises:
        InvalidSpec: the encoder does not go with the algorithm.
    """
    if (encoder_kind == "tokens") != (answers == "blazingtext"):
        raise InvalidSpec(f"The encoder {encoder_kind!r} does not go with {answers}: tokens are for BlazingText, and only they.")
    if answers == "xgboost":
        return _XGBOOST_SPARSE if avoids_csv else _XGBOOST_CSV
    exchange = _EXCHANGES[answers]
    if channel_format == "csv" and exchange.file_extension == "npy":
        return replace(exchange, channel_content_type=csv.CONTENT_TYPE, file_extension="csv")
    return exchange
