"""What the API says of an upload, in the words of whoever has a file and a form, and neither an object in S3 nor a spec."""

from __future__ import annotations

import re

_CONTROLS = {
    "dataset.label": "“Predict the column”",
    "dataset.kinds": "“Taken for”",
    "dataset.features": "“Taken for”",
    "dataset.exclude": "“left out” under “Taken for”",
    "task": "“Task”",
    "algorithm.name": "“Algorithm”",
    "algorithm.preset": "“How much auto tries”",
    "deployment": "“Endpoint”",
}
"""Keys of a spec, and what the form calls them."""
_AS_JSON = {f'{{"dataset": {{"{key}"': f"dataset.{key}" for key in ("kinds", "exclude", "label")}
"""How messages begin what a person may copy into a spec, and the key that it sets."""
_KEY = re.compile(r"(?<![\w.])(?:dataset|split|encoder|algorithm|tuning|evaluation|deployment)\.[a-z_]+|`(?:task|deployment)`")


def in_words_of_the_form(text: str, uri: str, file: str) -> str:
    """A message of the API with the file's own name instead of its ``uri``, and what the keys that it speaks of are on the page.

    ``file``: as the person's machine calls it; empty where that is not known.
    """
    named = text.replace(uri, file or "the file")
    named = named[:1].upper() + named[1:] if text.startswith(uri) and not file else named
    said = [*(key for written, key in _AS_JSON.items() if written in text), *(key.strip("`") for key in _KEY.findall(text))]
    keys = list(dict.fromkeys(said))
    here = [f"{key} is {_CONTROLS[key]}" for key in keys if key in _CONTROLS]
    others = [key for key in keys if key not in _CONTROLS]
    hints = [f"On this page {', '.join(here)}."] if here else []
    if others:
        hints.append(f"{', '.join(others)}: only a spec says so, with which `sageline submit` starts a run.")
    return " ".join([named, *hints])
