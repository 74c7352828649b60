"""Files that are not read, and how to make one of them that is."""

from __future__ import annotations

_WITH_PANDAS = 'convert it to CSV or JSON Lines, for example with pandas.{reader}(...).to_csv("data.csv", index=False)'
_SPREADSHEET = "save the workbook as .xlsx, or the sheet as CSV (UTF-8)"
_FEATHER = _WITH_PANDAS.format(reader="read_feather")
_IMAGES = "upload images as a .zip with a folder for each class"
_UNPACK = "unpack it, and upload the data file (text may be compressed with gzip or zstd: .csv.gz, .csv.zst)"

_BY_EXTENSION = {
    "pq": "name it .parquet",
    "parq": "name it .parquet",
    "feather": _FEATHER,
    "arrow": _FEATHER,
    "orc": _WITH_PANDAS.format(reader="read_orc"),
    "xls": _SPREADSHEET,
    "xlsm": _SPREADSHEET,
    "ods": _SPREADSHEET,
    "sas7bdat": _WITH_PANDAS.format(reader="read_sas"),
    "sav": _WITH_PANDAS.format(reader="read_spss"),
    "dta": _WITH_PANDAS.format(reader="read_stata"),
    "pkl": _WITH_PANDAS.format(reader="read_pickle"),
    "pickle": _WITH_PANDAS.format(reader="read_pickle"),
    "h5": _WITH_PANDAS.format(reader="read_hdf"),
    "hdf5": _WITH_PANDAS.format(reader="read_hdf"),
    "avro": "convert it to CSV or JSON Lines",
    "arff": "convert it to CSV: a line with the attributes' names, and then what follows @data",
    "svmlight": "name it .libsvm",
    "json": "write it as JSON Lines, one object per line, for example with "
    'pandas.read_json(...).to_json("data.jsonl", orient="records", lines=True)',
    "tab": "name it .tsv",
    "txt": "rename it to .csv, if it is a table with a line of column names",
    "dat": "rename it to .csv, if it is a table with a line of column names",
    "data": "rename it to .csv, if it is a table with a line of column names",
    "npy": "save features and labels in one file: numpy.savez(file, x=..., y=...)",
    "tar": _UNPACK,
    "tgz": _UNPACK,
    "bz2": _UNPACK,
    "xz": _UNPACK,
    "7z": _UNPACK,
    "zst": "name it .csv.zst, if it is a CSV file",
    "ndjson": "name it .jsonl",
    "ndjson.gz": "name it .jsonl.gz",
    "ndjson.zst": "name it .jsonl.zst",
    "json.gz": "unpack it, and write it as JSON Lines, one object per line",
    "gz": "name it .csv.gz, if it is a CSV file",
}

_BY_CONTENT = {
    b"\x1f\x8b": "is compressed with gzip; name it data.csv.gz, or what else it is with .gz at the end",
    b"\x28\xb5\x2f\xfd": "is compressed with zstd; name it data.csv.zst, or what else it is with .zst at the end",
    b"PK\x03\x04": "is a ZIP file or an Excel workbook; unpack it, or name it data.xlsx",
    b"\xd0\xcf\x11\xe0": f"is an Excel workbook or another Office document; {_SPREADSHEET}",
    b"PAR1": "is a Parquet file; name it data.parquet",
    b"ARROW1": f"is a Feather or Arrow file; {_FEATHER}",
    b"\x89HDF\r\n\x1a\n": f"is an HDF5 file; {_BY_EXTENSION['h5']}",
    b"\x93NUMPY": f"is a .npy file; {_BY_EXTENSION['npy']}",
    b"BZh": f"is compressed with bzip2; {_UNPACK}",
    b"\xfd7zXZ\x00": f"is compressed with xz; {_UNPACK}",
    b"7z\xbc\xaf\x27\x1c": f"is a 7z archive; {_UNPACK}",
    b"\x89PNG\r\n\x1a\n": f"is a PNG image; {_IMAGES}",
    b"\xff\xd8\xff": f"is a JPEG image; {_IMAGES}",
    b"GIF87a": f"is a GIF image; {_IMAGES}",
    b"GIF89a": f"is a GIF image; {_IMAGES}",
    b"%PDF-": "is a PDF document; save the table in it as CSV (UTF-8)",
    b"SQLite format 3\0": "is an SQLite database; write the table as CSV (UTF-8)",
    b"Obj\x01": f"is an Avro file; {_BY_EXTENSION['avro']}",
    b"\x80\x04\x95": f"is a pickle of Python; {_BY_EXTENSION['pkl']}",
}
_PACKED = {
    b"\x1f\x8b": "a gzip file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"PK\x03\x04": "a ZIP file or an Excel workbook",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ\x00": "an xz file",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"PAR1": "a Parquet file",
}
_CONTROL = bytes({*range(32)} - set(b"\t\n\v\f\r\x1b"))
"""Bytes that text hardly has, in ASCII and what extends it."""

_TAR = (257, b"ustar")  # where the name of the format stands in a tar archive


def advice_on_name(file_name: str) -> str | None:
    """What to do with a file of a format that is not read, by its name; None where its name says nothing."""
    parts = file_name.lower().split(".")[1:]
    for first in range(max(0, len(parts) - 2), len(parts)):
        if advice := _BY_EXTENSION.get(".".join(parts[first:])):
            return advice
    return None


def advice_on_content(head: bytes) -> str | None:
    """What a file is that begins so, and what to do; None where it may be text."""
    if _is_tar(head):
        return f"is a tar archive; {_UNPACK}"
    return next((advice for magic, advice in _BY_CONTENT.items() if head.startswith(magic)), None)


def advice_on_bytes(head: bytes) -> str | None:
    """That a file of an unknown format is not text, and what to do, by its beginning; None where it may be text in ASCII or what
    extends it.

    Text of UTF-16 without a mark has zeros, and hardly any other control character; text of a program's own has one kind or two
    of them.
    """
    control = len(head) - len(head.translate(None, _CONTROL))
    kinds = len(set(head) & set(_CONTROL))
    if not (b"\0" in head and kinds >= 4 and 50 * control > len(head)) and not (kinds >= 8 and 20 * control > len(head)):
        return None
    return (
        f"is not text: {control / len(head):.0%} of its first {len(head):,} bytes are control characters. Upload a table as "
        "text, or give the file the ending of its format; text in an encoding other than UTF-8 needs its name in "
        "`dataset.encoding`"
    )


def packed_within(head: bytes) -> str | None:
    """What the text of a compressed file is, if it begins as another compressed file, an archive or a Parquet file does."""
    if _is_tar(head):
        return "a tar archive"
    return next((name for magic, name in _PACKED.items() if head.startswith(magic)), None)


def _is_tar(head: bytes) -> bool:
    at, name = _TAR
    return head[at : at + len(name)] == name


def advice_on_text(head: bytes) -> str | None:
    """What a text is that begins so and is no CSV, and what to do; None where it may be CSV."""
    beginning = head.lstrip()
    if beginning.startswith((b'{"', b"[{")):
        return f"is JSON; {_BY_EXTENSION['json']}. If it has one object per line already, name it data.jsonl"
    if beginning[:15].lower().startswith((b"<!doctype html", b"<html")):
        return "is a web page; download the data itself"
    return None
