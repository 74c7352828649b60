"""What a decision adds to a warm prediction: ``python -m tests.benchmarks.decision_cost [CALLS]``.

Calls with and without the decision follow each other in one process, so that both meet the same machine.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import numpy as np

from sageline.encoder.decision import Decision, Isotonic, Temperature
from sageline.encoder.fitted import FittedEncoder
from tests.unit.encoder.encoders import table

TWO, TEN = ["no", "yes"], [f"class {number}" for number in range(10)]
_KNOTS = np.linspace(0, 1, 60)
DECISIONS = {
    "threshold": Decision(TWO, positive="yes", threshold=0.2),
    "temperature and threshold": Decision(TWO, positive="yes", calibration=Temperature(1.7), threshold=0.2),
    "isotonic and threshold": Decision(TWO, positive="yes", calibration=Isotonic(tuple(_KNOTS), tuple(_KNOTS**2)), threshold=0.2),
    "temperature and offsets of ten classes": Decision(TEN, calibration=Temperature(1.7), offsets=tuple([0.1] * 10)),
}
_WARM_UP = 200
_MICROSECONDS = 1_000_000


def added(decision: Decision, calls: int) -> tuple[float, float]:
    """Median microseconds of a call without the decision, and what the decision adds to them."""
    classes = list(decision.classes)
    plain = FittedEncoder("classification", {"x": "number"}, "label", classes, table({"x": None}))
    decided = replace(plain, decision=decision)
    body = b"0.3\n" if len(classes) == 2 else b"0.1,0.2,0.05,0.05,0.1,0.1,0.1,0.1,0.1,0.1\n"
    taken: dict[bool, list[float]] = {False: [], True: []}
    for number in range(calls + _WARM_UP):
        for is_decided, encoder in ((False, plain), (True, decided)):
            start = time.perf_counter()
            encoder.decode(body, "text/csv", 1, rows=1)
            elapsed = time.perf_counter() - start
            if number >= _WARM_UP:
                taken[is_decided].append(elapsed * _MICROSECONDS)
    without, with_it = (float(np.median(taken[is_decided])) for is_decided in (False, True))
    return without, with_it - without


def main(arguments: list[str]) -> None:
    calls = int(arguments[0]) if arguments else 10_000
    sys.stdout.write("| decision | decode without, µs | it adds, µs |\n|---|---|---|\n")
    for name, decision in DECISIONS.items():
        without, more = added(decision, calls)
        sys.stdout.write(f"| {name} | {without:.1f} | {more:.1f} |\n")


if __name__ == "__main__":
    main(sys.argv[1:])
