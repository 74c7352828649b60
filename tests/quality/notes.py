"""Why Sageline loses where it does, for people: each found by an experiment that is named, and written down here."""

from __future__ import annotations

from collections.abc import Mapping

_ALL_ROWS = (
    "the peer is trained on the validation rows too, an eighth more; XGBoost trained on all of them gains {gain}, and is then "
    "{beside} beside the peer (`python -m tests.quality.all_rows {dataset}`)"
)

WHY: Mapping[str, str] = {
    "speech": "some 25 validation rows a split choose the linear model, which is better on them by chance; XGBoost trained on "
    "all rows is at +0.005 ± 0.013 (`python -m tests.quality.all_rows speech`).",
    "ridership": _ALL_ROWS.format(gain="0.100 ± 0.029", beside="better by 0.077 ± 0.036", dataset="ridership") + ".",
    "german": "some 100 validation rows a split choose the linear model on three of four splits; besides, "
    + _ALL_ROWS.format(gain="0.012 ± 0.009", beside="at +0.014 ± 0.011", dataset="german")
    + ".",
    "phoneme": _ALL_ROWS.format(gain="0.008 ± 0.005", beside="level", dataset="phoneme") + ".",
    "australian": "some 70 validation rows a split choose between two models; besides, "
    + _ALL_ROWS.format(gain="0.010 ± 0.005", beside="level", dataset="australian")
    + ".",
    "segment": "three of some 920 test rows, within two standard errors.",
    "chess": "level.",
}
"""By dataset, for quick beside HistGradientBoosting."""

NOT_KNOWN = "Not looked into yet."
HELD_OUT = "Not looked into, as it is held out: nothing is to be made to fit it."
BY_CHANCE = "Within two standard errors: these test rows do not tell which one is better."
