"""``/opt/ml`` where a machine has no mount namespaces: the job's directory by its own name, wherever the SDK says the other."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

_OPT_ML = re.compile(r"(?<![\w.-])/opt/ml(?![\w.-])")
_PLAIN = re.compile(r"[\w./@%+-]+")
# What the SDK puts into its channel: a shell script, the drivers, and their settings.
_TEXTS = (".sh", ".py", ".json")


def rewritten(text: str, root: str) -> str:
    """The text with ``root`` for every ``/opt/ml`` that is a whole path or the beginning of one."""
    return _OPT_ML.sub(lambda _: root, text)


def rewrite_drivers(root: Path, name: str) -> None:
    """Rewrite the files that SageMaker's Python SDK 3 brings along, which name ``/opt/ml`` in every place."""
    for path in (root / "input" / "data" / "sm_drivers").rglob("*"):
        if path.suffix in _TEXTS and path.is_file() and not path.is_symlink():
            text = path.read_text()
            if (new := rewritten(text, name)) != text:
                path.write_text(new)


def short_name(root: Path) -> str:
    """A name of the directory that needs no quotes in a shell: a link to it, if its own does."""
    if _PLAIN.fullmatch(str(root)):
        return str(root)
    link = Path(tempfile.mkdtemp(prefix="sagemaker-")) / "ml"
    link.symlink_to(root)
    return str(link)
