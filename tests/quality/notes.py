"""Why Sageline loses where it does, for people: each found by an experiment that is named, and written down here."""

from __future__ import annotations

from collections.abc import Mapping

_ALL_ROWS = (
    "the peer is trained on the validation rows too, an eighth more; XGBoost trained on all of them gains {gain}, and is then "
    "{beside} beside the peer (`python -m tests.quality.all_rows {dataset}`)"
)

_HGB, _FLAML, _FLAML_GOOD = "hist_gradient_boosting", "flaml", "flaml_good"

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
    ("letter", _FLAML): "FLAML takes extremely randomised trees, which suit these 16 small integers best (`python -m "
    "tests.quality.flaml_choice letter 62`); SageMaker's own algorithms have none. Besides, FLAML is trained on the validation "
    "rows too: XGBoost trained on all of them gains 0.003 ± 0.002 (`python -m tests.quality.all_rows letter`).",
    ("ridership", _FLAML): "half of it are the validation rows, on which FLAML is trained too: XGBoost trained on all of them "
    "gains 0.100 ± 0.029 (`python -m tests.quality.all_rows ridership`); the rest is XGBoost that grows leaf by leaf, with 22 "
    "leaves a tree and an L2 penalty of 17 (`python -m tests.quality.flaml_choice ridership 30`). The presets grow by depth.",
}
"""Of quick, by dataset and peer."""

WHY_GOOD: Mapping[tuple[str, str], str] = {
    ("ridership", _FLAML_GOOD): "as for quick: validation rows, and XGBoost that grows leaf by leaf.",
    (
        "hotel_rates",
        _FLAML_GOOD,
    ): "most of it are the validation rows: XGBoost with quick's settings, trained on all of them, gains 0.405 ± 0.12 "
    "(`python -m tests.quality.all_rows hotel_rates`). FLAML also trains some 8,000 small trees of 9 leaves (`python -m "
    "tests.quality.flaml_choice hotel_rates 60`).",
}
"""Of good."""

GOOD = (
    "Quick, with the settings that it is given, is ahead of good here: few trials find nothing as good on these validation rows."
)
NOT_KNOWN = "Not looked into yet."
HELD_OUT = "Not looked into, as it is held out: nothing is to be made to fit it."
BY_CHANCE = "Within two standard errors: these test rows do not tell which one is better."
