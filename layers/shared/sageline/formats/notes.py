"""Notes on a file: sentences that say what was guessed or mended."""

from __future__ import annotations


class NoteOfFirst(str):
    """A note on the first place of a file that has something: where the file is read in ranges, those of later ones are left out.

    Attributes:
        subject: what the place has; equal for notes of which a file has one.
    """

    subject: str

    def __new__(cls, note: str, subject: str) -> NoteOfFirst:
        made = super().__new__(cls, note)
        made.subject = subject
        return made
