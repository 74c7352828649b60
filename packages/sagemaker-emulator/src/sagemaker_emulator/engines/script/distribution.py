"""Several hosts of one job as processes of one machine: who listens where, and TensorFlow's ``TF_CONFIG``."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from sagemaker_emulator.engines.script.environment import TrainingEnvironment
from sagemaker_emulator.engines.script.failures import Misconfigured

PARAMETER_SERVER = "sagemaker_parameter_server_enabled"
MIRRORED = "sagemaker_multi_worker_mirrored_strategy_enabled"
_UNSUPPORTED = {
    "sagemaker_mpi_enabled": "MPI",
    "sagemaker_distributed_dataparallel_enabled": "SageMaker's distributed data parallel library",
    "sagemaker_pytorch_ddp_enabled": "PyTorch DDP",
    "sagemaker_torch_distributed_enabled": "torchrun",
    "sagemaker_pytorch_xla_multi_worker_enabled": "PyTorch XLA",
}
_RENDEZVOUS_SECONDS = 120.0
_POLL_SECONDS = 0.05

# What a cluster listens on: addresses of the workers (the first is the master) and of the parameter servers.
Addresses = Mapping[str, list[str]]


def check_distribution(environment: TrainingEnvironment) -> None:
    """Refuse launchers that are not there, instead of running something else."""
    for parameter, title in _UNSUPPORTED.items():
        if environment.enabled(parameter):
            raise Misconfigured(
                f"The local SageMaker service cannot distribute by {title} ({parameter}): leave 'distribution' out, or use "
                "parameter_server or multi_worker_mirrored_strategy."
            )


def addresses(environment: TrainingEnvironment, cluster: Path) -> Addresses:
    """Every host's addresses on the loopback interface.

    In AWS each host is a machine of its own and the ports are 2222, 2223 and 8890. Here the first host finds free ports for
    all of them and writes them beside the hosts' directories, into ``cluster``; the others wait for that file.
    """
    path = cluster / "addresses.json"
    if environment.current_host == environment.hosts[0]:
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(_free_addresses(len(environment.hosts))))
        draft.rename(path)
    deadline = time.monotonic() + _RENDEZVOUS_SECONDS
    while not path.exists():
        if time.monotonic() > deadline:
            raise Misconfigured(f"{environment.hosts[0]} did not say within {_RENDEZVOUS_SECONDS:.0f} s where the hosts listen.")
        time.sleep(_POLL_SECONDS)
    found: Addresses = json.loads(path.read_text())
    return found


def _free_addresses(count: int) -> dict[str, list[str]]:
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2 * count)]
        found = [f"127.0.0.1:{listener.getsockname()[1]}" for listener in listeners]
    return {"worker": found[:count], "ps": found[count:]}


def mirrored_config(hosts: list[str], current_host: str, found: Addresses) -> dict[str, object]:
    """For MultiWorkerMirroredStrategy: every host is a worker."""
    return {
        "cluster": {"worker": list(found["worker"])},
        "environment": "cloud",
        "task": {"index": hosts.index(current_host), "type": "worker"},
    }


def parameter_server_config(hosts: list[str], current_host: str, found: Addresses) -> dict[str, object]:
    """The first host is the master, the others are workers, and every host has a parameter server besides."""
    master, *workers = found["worker"]
    cluster = {"master": [master]}
    if len(hosts) > 1:
        cluster |= {"ps": list(found["ps"]), "worker": workers}
    index = hosts.index(current_host)
    task = {"index": index - 1, "type": "worker"} if index else {"index": 0, "type": "master"}
    return {"cluster": cluster, "environment": "cloud", "task": task}


class Finished:
    """Which hosts have finished: a parameter server must live until the master's script has ended."""

    def __init__(self, environment: TrainingEnvironment, cluster: Path) -> None:
        self._directory = cluster
        self._host, self._master = environment.current_host, environment.hosts[0]

    def tell(self) -> None:
        self._path(self._host).touch()

    def wait_for_master(self, stopping: Callable[[], bool]) -> None:
        """The service ends this process if the master fails."""
        while not self._path(self._master).exists() and not stopping():
            time.sleep(_POLL_SECONDS)

    def _path(self, host: str) -> Path:
        return self._directory / f"finished-{host}"


def serve_parameters() -> None:
    """A TensorFlow parameter server, as the ``TF_CONFIG`` of its environment says; ends with the toolkit."""
    import tensorflow as tf  # noqa: PLC0415  # half a gigabyte that only this process needs

    config = json.loads(os.environ["TF_CONFIG"])
    task = config["task"]
    server = tf.distribute.Server(config["cluster"], job_name=task["type"], task_index=task["index"], protocol="grpc")
    server.join()


if __name__ == "__main__":
    serve_parameters()
