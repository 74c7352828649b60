"""What the beginning of a text file says of how the rest is to be read, so that it can be read from the middle."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from typing import BinaryIO

import numpy as np

from sageline.arrays.strings import ByteArray
from sageline.dataset.readers.csv_reader import CsvReader
from sageline.dataset.readers.csv_scan import TextAfterQuote
from sageline.dataset.readers.dialect import Dialect
from sageline.dataset.readers.jsonl_reader import KEYS_BYTES, JsonLinesReader, KnownKeys
from sageline.dataset.readers.source import ReadOptions, begin_text, read_up_to
from sageline.formats.notes import NoteOfFirst
from sageline.formats.text_encoding import UTF_8, TextPosition, Utf8Text
from sageline.json_objects import Json

_LONGEST_HEADER = 1 << 20
_BLOCK_BYTES = 256 << 10  # there may be thousands of files
_DECODED = "\x80"  # and above: what a byte beyond ASCII must become


@dataclass(frozen=True)
class Note:
    """What is said of a file.

    Attributes:
        text: a sentence.
        subject: of a note on the first place of its kind: those on others of the file with the same subject are left out.
    """

    text: str
    subject: str | None = None

    @classmethod
    def of(cls, note: str) -> Note:
        return cls(str(note), note.subject if isinstance(note, NoteOfFirst) else None)

    def as_said(self) -> str:
        """As a reader says it."""
        return self.text if self.subject is None else NoteOfFirst(self.text, self.subject)


@dataclass(frozen=True)
class TextHead:
    """What the beginning of a file says.

    Attributes:
        start: offset in the file of the first byte after the header's line; in JSON Lines after the byte order mark.
        position: the same for messages.
        encoding: None as long as all is ASCII; then ranges further on may say it.
        dialect: of CSV, else None.
        names: of CSV's columns.
        keys: of JSON Lines, else None.
        notes: in the order in which they are made.
    """

    start: int
    position: TextPosition
    encoding: str | None
    dialect: Dialect | None
    names: tuple[str, ...]
    keys: KnownKeys | None
    notes: tuple[Note, ...]

    def to_json(self) -> Json:
        dialect = None if self.dialect is None else {**asdict(self.dialect), "delimiter": self.dialect.delimiter.decode()}
        return {**asdict(self), "dialect": dialect}

    @classmethod
    def of_json(cls, found: Json) -> TextHead:
        dialect, keys = found["dialect"], found["keys"]
        return cls(
            start=found["start"],
            position=TextPosition(**found["position"]),
            encoding=found["encoding"],
            dialect=Dialect(**{**dialect, "delimiter": dialect["delimiter"].encode()}) if dialect else None,
            names=tuple(found["names"]),
            keys=KnownKeys(tuple(keys["columns"]), tuple(keys["objects"])) if keys else None,
            notes=tuple(Note(**note) for note in found["notes"]),
        )


class NotToBeCut(Exception):
    """A text file cannot be read from the middle; says why."""


def read_head(stream: BinaryIO, source: str, base: str, options: ReadOptions) -> TextHead:
    """What the beginning of a CSV or JSON Lines file says, exactly as reading it finds it.

    Args:
        stream: the file; as much of it is read as its reader looks at before the first row.
        base: ``csv``, ``tsv`` or ``jsonl``.

    Raises:
        NotToBeCut: its encoding, its line ends or its length do not allow it.
        InvalidDataset: what reading the file raises, before the first row.
    """
    notes: list[str] = []
    text, reader, chunks = begin_text(stream, source, base, _BLOCK_BYTES, options=options, notes=notes)
    if isinstance(reader, JsonLinesReader):
        keys = reader.keys(chunks)
        if not keys.columns:
            raise NotToBeCut(f"its first {KEYS_BYTES >> 20} MiB have no whole object, which says the columns")
        _check_encoding(text)
        # No encoding that can be cut but UTF-8 has a mark.
        position = TextPosition(text.start, 1, 1)
        return TextHead(text.start, position, text.encoding, None, (), keys, _as_notes(notes))
    dialect = reader.dialect
    if dialect.cr_ends:
        raise NotToBeCut("its lines end in a carriage return alone")
    _read_header(reader, chunks)
    _check_encoding(text)
    start = _offset_in_file(stream, text, reader.position.offset)
    return TextHead(start, reader.position, text.encoding, dialect, tuple(reader.names), None, _as_notes(notes))


def _as_notes(notes: list[str]) -> tuple[Note, ...]:
    return tuple(map(Note.of, notes))


def _read_header(reader: CsvReader, chunks: Iterator[bytes]) -> None:
    """Have the header read, and nothing that follows."""
    text = b""
    end = 0
    while True:
        while (feed := text.find(b"\n", end)) < 0:
            chunk = next(chunks, b"")
            if not chunk or len(text) > _LONGEST_HEADER:
                raise NotToBeCut("its header is too long, or all there is")
            text += chunk
        end = feed + 1
        try:
            found = reader.scan(text[:end], final=False)
        except TextAfterQuote:
            raise NotToBeCut("its header cannot be read") from None
        if len(found.fields):
            for _ in reader.blocks([text[:end]], cut=True):
                raise AssertionError("a header is no row")
            return


def _check_encoding(text: Utf8Text) -> None:
    if text.encoding not in (None, UTF_8) and not is_cuttable(str(text.encoding)):
        raise NotToBeCut(f"it is in {text.encoding}, whose characters are of several bytes")


def _offset_in_file(stream: BinaryIO, text: Utf8Text, offset: int) -> int:
    """Where in the file the byte at ``offset`` of its text in UTF-8 is."""
    if text.encoding in (None, UTF_8):
        return offset
    stream.seek(0)
    head = np.frombuffer(read_up_to(stream, offset), dtype=np.uint8)  # no byte becomes less than one
    return int(np.searchsorted(np.cumsum(utf8_lengths(str(text.encoding))[head]), offset)) + 1


@cache
def is_cuttable(encoding: str) -> bool:
    """Whether each byte is a character, those of ASCII are the same, and no other is one of these."""
    decode = codecs.getdecoder(encoding)
    try:
        if decode(bytes(range(128)), "strict")[0] != bytes(range(128)).decode("ascii"):
            return False
        pairs = (decode(bytes([first, second]), "replace")[0] for first in range(128, 256) for second in range(256))
        return all(len(pair) == 2 and pair[0] >= _DECODED for pair in pairs)
    except UnicodeError:
        return False


@cache
def utf8_lengths(encoding: str) -> ByteArray:
    """How many bytes of UTF-8 each byte becomes, ``uint8[256]``. Of an encoding that can be cut."""
    lengths = [len(bytes([byte]).decode(encoding, "replace").encode()) for byte in range(256)]
    return np.array(lengths, dtype=np.uint8)
