"""Several hosts train one model together, over XGBoost's own collective communication.

In SageMaker the hosts find each other by name. Here they are processes of one machine: the first host starts the
tracker and writes its port into a file of the job's directory, where the others wait for it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sagemaker_emulator.engines.xgboost.library import xgboost

_WAIT_SECONDS = 600.0
_FILE = "tracker-port"


@dataclass(frozen=True)
class Cluster:
    """The hosts of a job, seen from one of them."""

    host: str
    hosts: list[str]

    @property
    def is_master(self) -> bool:
        return self.host == self.hosts[0]

    @property
    def is_distributed(self) -> bool:
        return len(self.hosts) > 1


def read_cluster(root: Path) -> Cluster:
    config = json.loads((root / "input" / "config" / "resourceconfig.json").read_text())
    return Cluster(config["current_host"], config["hosts"])


@contextmanager
def joined(cluster: Cluster, meeting_place: Path) -> Iterator[None]:
    """Within this context XGBoost's training is one training of all hosts.

    Matrices are made within it as well, the same number on every host: XGBoost makes all of them agree on the columns.
    """
    if not cluster.is_distributed:
        yield
        return
    tracker = None
    if cluster.is_master:
        tracker = xgboost.tracker.RabitTracker(host_ip="127.0.0.1", n_workers=len(cluster.hosts), sortby="task")
        tracker.start()
        _announce(meeting_place, int(tracker.worker_args()["dmlc_tracker_port"]))
    with xgboost.collective.CommunicatorContext(
        dmlc_communicator="rabit",
        dmlc_tracker_uri="127.0.0.1",
        dmlc_tracker_port=_port(meeting_place),
        dmlc_task_id=f"{cluster.hosts.index(cluster.host):04d}",
    ):
        yield
    if tracker is not None:
        tracker.wait_for()


def _announce(meeting_place: Path, port: int) -> None:
    draft = meeting_place / f".{_FILE}"
    draft.write_text(str(port))
    draft.replace(meeting_place / _FILE)


def _port(meeting_place: Path) -> int:
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            return int((meeting_place / _FILE).read_text())
        except FileNotFoundError:
            time.sleep(0.1)
    raise TimeoutError(f"The first host did not start the tracker within {_WAIT_SECONDS:.0f} seconds.")
