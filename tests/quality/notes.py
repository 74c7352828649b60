"""Why Sageline loses where it does, for people: each found by an experiment that is named, and written down here."""

from __future__ import annotations

from collections.abc import Mapping

_ALL_ROWS = (
    "the peer is trained on the validation rows too, an eighth more; XGBoost trained on all of them gains {gain}, and is then "
    "{beside} beside the peer (`python -m tests.quality.all_rows {dataset}`)"
)

_HGB, _FLAML = "hist_gradient_boosting", "flaml"

WHY: Mapping[tuple[str, str], str] = {
    (
        "speech",
        _HGB,
    ): "some 25 validation rows a split choose the linear model, which is better on them by chance; XGBoost trained on "
    "all rows is at +0.005 ± 0.013 (`python -m tests.quality.all_rows speech`).",
    ("ridership", _HGB): _ALL_ROWS.format(gain="0.100 ± 0.029", beside="better by 0.077 ± 0.036", dataset="ridership") + ".",
    ("german", _HGB): "some 100 validation rows a split choose the linear model on three of four splits; besides, "
    + _ALL_ROWS.format(gain="0.012 ± 0.009", beside="at +0.014 ± 0.011", dataset="german")
    + ".",
    ("phoneme", _HGB): _ALL_ROWS.format(gain="0.008 ± 0.005", beside="level", dataset="phoneme") + ".",
    ("australian", _HGB): "some 70 validation rows a split choose between two models; besides, "
    + _ALL_ROWS.format(gain="0.010 ± 0.005", beside="level", dataset="australian")
    + ".",
    ("segment", _HGB): "three of some 920 test rows, within two standard errors.",
    ("chess", _HGB): "level.",
    (
        "letter",
        _FLAML,
    ): "about half of it are the validation rows, on which FLAML is trained too: XGBoost trained on all of them gains "
    "0.003 ± 0.002 (`python -m tests.quality.all_rows letter`); what the rest is, is not known.",
    (
        "ridership",
        _FLAML,
    ): "a third of it are the validation rows, on which FLAML is trained too: XGBoost trained on all of them gains "
    "0.100 ± 0.029 (`python -m tests.quality.all_rows ridership`); what the rest is, is not known.",
}
"""Of quick, by dataset and peer."""

GOOD = (
    "Quick, with the settings that it is given, is ahead of good here: good was measured with the algorithms' usual ranges, in "
    "which few trials find nothing as good; they are narrower since."
)
NOT_KNOWN = "Not looked into yet."
HELD_OUT = "Not looked into, as it is held out: nothing is to be made to fit it."
BY_CHANCE = "Within two standard errors: these test rows do not tell which one is better."
