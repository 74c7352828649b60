"""What the AutoML Benchmark has published for datasets that are here too: one hour for each of ten folds, on its machines.

https://github.com/openml/automlbenchmark, ``reports/tables/1h/score_summary.csv`` at 682a213: area under the ROC curve for two
classes, log-loss for more. Its rows are those of OpenML, its folds others than the splits here, so the numbers stand beside
each other and are not compared.
"""

from __future__ import annotations

from collections.abc import Mapping

SOURCE = (
    "https://github.com/openml/automlbenchmark/blob/682a2131f2cefaebf565be9cbc852f139c1ac348/reports/tables/1h/score_summary.csv"
)

METRIC_OF: Mapping[str, str] = {
    "Australian": "roc_auc",
    "credit-g": "roc_auc",
    "kr-vs-kp": "roc_auc",
    "phoneme": "roc_auc",
    "segment": "log_loss",
    "vehicle": "log_loss",
}

PUBLISHED: Mapping[str, Mapping[str, float]] = {
    "Australian": {"auto-sklearn": 0.935, "H2O AutoML": 0.940, "TPOT": 0.932, "tuned random forest": 0.934},
    "credit-g": {"auto-sklearn": 0.783, "H2O AutoML": 0.789, "TPOT": 0.786, "tuned random forest": 0.796},
    "kr-vs-kp": {"auto-sklearn": 0.9998, "H2O AutoML": 0.9999, "TPOT": 0.9997, "tuned random forest": 0.9996},
    "phoneme": {"auto-sklearn": 0.963, "H2O AutoML": 0.968, "TPOT": 0.969, "tuned random forest": 0.966},
    "segment": {"auto-sklearn": 0.060, "H2O AutoML": 0.047, "TPOT": 0.052, "tuned random forest": 0.069},
    "vehicle": {"auto-sklearn": 0.398, "H2O AutoML": 0.353, "TPOT": 0.414, "tuned random forest": 0.486},
}
"""By dataset and framework."""
