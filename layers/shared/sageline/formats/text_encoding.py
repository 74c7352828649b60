"""The text of a dataset as UTF-8, whatever encoding it is in.

A byte order mark or ``dataset.encoding`` says what the encoding is; without them it is UTF-8, or Windows-1252 where UTF-8 fails
and the text is plausible. All of the text before the first byte beyond ASCII is the same in both, so the choice is made there, in
the middle of a stream, and holds for the whole file: every reader of the file makes the same one.
"""

from __future__ import annotations

import codecs
import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from encodings.aliases import aliases
from itertools import chain
from typing import NoReturn

import numpy as np

from sageline.errors import InvalidDataset

UTF_8, CP1252 = "utf-8", "cp1252"

_MARKS = (
    # UTF-32 before UTF-16: its mark begins with that one's.
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xef\xbb\xbf", UTF_8),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_USUAL = ("utf-8", "utf-16", "cp1252", "latin-1", "cp1251", "shift-jis", "cp1250", "gb18030", "big5", "euc-kr", "windows-1252")
_NOT_OF_FILES = ("idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem")
_EVIDENCE_BYTES = 64 << 10

_BEYOND_ASCII = "ŠŒŽšœžŸÀ-ÖØ-öø-ÿ"
_LETTER = f"A-Za-z{_BEYOND_ASCII}"
_BETWEEN_LETTERS = "\u2019\u2018\u2013\u2014\u2026\xb7\u2022\xa0\xad"  # quotes, dashes, dots, unbreakable blank, soft hyphen
_ONE_LETTER_WORDS = "àÀáÁéÉèÈêÊíÍìÌóÓòÒôÔúÚùÙöÖäÄüÜåÅæÆøØ"
_IMPLAUSIBLE = tuple(
    re.compile(pattern)
    for pattern in (
        "[\u0192\u2020\u2021\u02c6\u2030\xac\xa6\xa8\xaf\xb8\xa4]",  # signs that texts hardly have
        f"(?<=[{_LETTER}])[^\\x00-\\x7f{_LETTER}{_BETWEEN_LETTERS}](?=[{_LETTER}])",  # a sign in the middle of a word
        "(?<=[a-zšœžß-öø-ÿ])[ŠŒŽŸÀ-ÖØ-Þ]",  # a capital letter in the middle of a word
        f"(?<![{_LETTER}])(?![{_ONE_LETTER_WORDS}](?![{_LETTER}]))[{_BEYOND_ASCII}]+(?![{_LETTER}])",  # no letter of ASCII
    )
)
"""What text of another encoding looks like when it is read as Windows-1252."""


def marked_encoding(head: bytes) -> tuple[str | None, int]:
    """The encoding that a byte order mark at the beginning says, and the length of the mark."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    return None, 0


def check_encoding(name: str) -> str:
    """The name of an encoding of text that Python knows, as it was given.

    Raises:
        ValueError: it is none; says which known one is nearest.
    """
    try:
        known = codecs.lookup(name)
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        raise ValueError(f"{name!r} is no encoding that is known; {_nearest(name)}") from None
    # Python tells codecs of text from those of bytes, such as base64, by this attribute alone.
    if not known._is_text_encoding or known.name.replace("-", "_") in _NOT_OF_FILES:
        raise ValueError(f"{name!r} is no encoding of text files; usual ones are {', '.join(_USUAL[:6])}")
    return name


def _nearest(name: str) -> str:
    spelled = name.lower().replace("_", "-")
    near = difflib.get_close_matches(spelled, _USUAL, n=1, cutoff=0.7) or difflib.get_close_matches(spelled, sorted(aliases), n=1)
    return f"perhaps it is {near[0]}" if near else f"usual ones are {', '.join(_USUAL[:6])}"


def chosen_encoding(head: bytes, given: str | None, source: str, notes: list[str]) -> tuple[str | None, int]:
    """The encoding of a file as its mark says or else as it is ``given``, None to find it out, and the length of the mark."""
    marked, length = marked_encoding(head)
    if marked is None:
        return None if given is None else codecs.lookup(given).name, 0
    # Codecs such as utf-16 take either order of bytes.
    if given is not None and not marked.startswith(codecs.lookup(given).name.removesuffix("-sig")):
        notes.append(
            f"{source}: the byte order mark of {marked} is at the beginning and counts, and not `dataset.encoding` {given!r}."
        )
    return marked, length


def guess_encoding(text: bytes) -> str | None:
    """UTF-8 or Windows-1252, by what is in ``text`` from its first byte beyond ASCII on; None where it is neither.

    ``text`` is not ASCII, and does not begin in the middle of a character.
    """
    start = first_beyond_ascii(text)
    try:
        text[start : start + 4].decode()
    except UnicodeDecodeError as error:
        if error.start == 0:
            return CP1252 if _is_plausible(text[: start + _EVIDENCE_BYTES]) else None
    return UTF_8


def first_beyond_ascii(text: bytes) -> int:
    """Offset of the first byte of 0x80 or more; there is one."""
    start = 0
    while text[start : start + _EVIDENCE_BYTES].isascii():
        start += _EVIDENCE_BYTES
    part = np.frombuffer(text[start : start + _EVIDENCE_BYTES], dtype=np.uint8)
    return start + int(np.argmax(part >= 0x80))


def guess_note(source: str, text: bytes, offset: int) -> str:
    """Says that a file is read as Windows-1252. ``text`` has the byte that says so, and begins at ``offset`` in the file."""
    start = first_beyond_ascii(text)
    around = text[max(0, start - 40) : start + 40].decode(CP1252, "replace")
    at = min(start, 40)
    before = re.search(rf"[{_LETTER}]*\Z", around[:at])
    after = re.match(rf"[{_LETTER}]*", around[at + 1 :])
    word = (before[0] if before else "") + around[at] + (after[0] if after else "")
    return (
        f"{source}: read as Windows-1252 (cp1252), because it is not UTF-8: byte 0x{text[start]:02x} at byte offset "
        f"{offset + start} makes {word!r}. If that is wrong, name the encoding in `dataset.encoding`."
    )


def _is_plausible(text: bytes) -> bool:
    try:
        decoded = text.decode(CP1252)
    except UnicodeDecodeError:
        return False
    beyond_ascii = sum(character > "\x7f" for character in decoded)
    implausible = sum(len(found[0]) for pattern in _IMPLAUSIBLE for found in pattern.finditer(decoded))
    return implausible * 10 <= beyond_ascii


@dataclass(frozen=True)
class TextPosition:
    """Where in a file a row, or what follows the last one, begins.

    Attributes:
        offset: in bytes, as messages count: of the file, or of the text in UTF-8 where the file is in another encoding.
        line: its number, from 1.
        row: its number, from 1; the header's is 0.
    """

    offset: int
    line: int
    row: int


class Utf8Text:
    """Turns the bytes of a file, without its byte order mark, into UTF-8 (which is not checked).

    Attributes:
        source: how errors and notes name the file.
        notes: what is guessed or mended is appended to them, by the reader of the text too.
        start: offset of the first byte of the text, as messages count.

    Args:
        encoding: None to find it out.
        offset: where in the file the bytes begin.
        begins: where that is for messages, in the middle of a file; its beginning by default.
    """

    def __init__(
        self, source: str, encoding: str | None, offset: int, notes: list[str], *, begins: TextPosition | None = None
    ) -> None:
        self.source = source
        self.notes = notes
        self._encoding = encoding
        self._offset = offset
        self.start = (offset if encoding in (None, UTF_8) else 0) if begins is None else begins.offset
        self._line = 1 if begins is None else begins.line

    @property
    def encoding(self) -> str | None:
        """What the encoding is; None as long as the text is ASCII, and where it is none that is known."""
        return self._encoding

    @property
    def unit(self) -> str:
        """What a byte offset in the text has to be followed by: nothing, where the text is that of the file."""
        return "" if self._encoding in (None, UTF_8) else " of the text in UTF-8"

    def chunks(self, raw: Iterable[bytes], *, cut: bool = False) -> Iterator[bytes]:
        """The text in pieces about as long as those of the file.

        Args:
            cut: ``raw`` is not all of the file, and may end within a character.

        Raises:
            InvalidDataset: what is there is not valid in the encoding of the file, if that is not UTF-8.
        """
        pending = iter(raw)
        if self._encoding is None:
            for chunk in pending:
                if not chunk.isascii():
                    held = _held(chunk, pending)
                    self._decide(b"".join(held))
                    pending = chain(held, pending)
                    break
                self._offset += len(chunk)
                self._line += chunk.count(b"\n")
                yield chunk
        yield from pending if self._encoding in (None, UTF_8) else self._decoded(pending, self._encoding, cut)

    def _decide(self, text: bytes) -> None:
        # Where it is neither, the text stays as it is: its reader refuses it and knows row and column.
        self._encoding = guess_encoding(text)
        if self._encoding == CP1252:
            self.notes.append(guess_note(self.source, text, self._offset))

    def _decoded(self, raw: Iterable[bytes], encoding: str, cut: bool) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(encoding)()
        for chunk in chain(raw, [] if cut else [b""]):
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(chunk, final=not chunk).encode()
            except UnicodeDecodeError as error:
                self._line += error.object[: error.start].decode(encoding, "replace").count("\n")
                self._refuse(self._offset - pending + error.start, error.object[error.start : error.end], encoding)
            except UnicodeEncodeError:  # UTF-7 can spell half of a surrogate pair
                self._refuse(self._offset - pending, chunk[:1], encoding)
            self._line += text.count(b"\n")
            self._offset += len(chunk)
            yield text

    def _refuse(self, offset: int, wrong: bytes, encoding: str) -> NoReturn:
        shown = " ".join(f"0x{byte:02x}" for byte in wrong[:4])
        raise InvalidDataset(
            f"{self.source}: line {self._line} (byte offset {offset}): {shown} is not valid {encoding}; save the file as "
            f"UTF-8, or name its encoding in `dataset.encoding`."
        )


def _held(chunk: bytes, following: Iterator[bytes]) -> list[bytes]:
    """``chunk`` and as many of those that follow as are needed to judge the text from its first byte beyond ASCII on."""
    held, size = [chunk], len(chunk) - first_beyond_ascii(chunk)
    while size < _EVIDENCE_BYTES and (more := next(following, b"")):
        held.append(more)
        size += len(more)
    return held
