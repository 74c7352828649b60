"""RecordIO-protobuf: SageMaker's binary format of training data and requests.

A file is a sequence of frames, ``uint32 LE 0xCED7230A``, ``uint32 LE length``, payload, zero bytes up to a multiple of
four (MXNet's RecordIO). A payload is a ``Record`` of the proto2 package ``aialgs.data``: ``map<string, Value>``
features (1) and label (2), both with the one key ``values``; a ``Value`` holds a tensor (Float32 2, Float64 3, Int32 7)
of packed values (1), keys (2) and shape (3). Dense rows have values only; sparse rows have the non-zero values, their
0-based columns as keys, and the number of columns as shape. First-party algorithms accept Float32 only, so that is
what is written. Source: SageMaker developer guide, "Common data formats for training"; the published descriptor.
"""

from __future__ import annotations

from sageline.formats.recordio.layout import MAGIC
from sageline.formats.recordio.reader import read_answer, read_records
from sageline.formats.recordio.writer import write_dense, write_record, write_sparse

__all__ = ["CONTENT_TYPE", "MAGIC", "read_answer", "read_records", "write_dense", "write_record", "write_sparse"]

CONTENT_TYPE = "application/x-recordio-protobuf"
