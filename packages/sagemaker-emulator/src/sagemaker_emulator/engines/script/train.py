"""The training toolkit: ``python -m sagemaker_emulator.engines.script.train --root DIR`` runs the script in ``DIR/code``.

The service has put the customer's code there; the image's ``SAGEMAKER_TRAINING_MODULE`` says which framework it is for.
"""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sagemaker_emulator.engines.script import distribution
from sagemaker_emulator.engines.script.environment import TrainingEnvironment, read_environment
from sagemaker_emulator.engines.script.failures import EXECUTE, Misconfigured, described
from sagemaker_emulator.engines.script.frameworks import TENSORFLOW
from sagemaker_emulator.engines.script.program import Job, Stopping, child_environment, command, place_code, prepare, run
from sagemaker_emulator.engines.shell import training
from sagemaker_emulator.engines.shell.root import as_seen

logger = logging.getLogger("sagemaker-training-toolkit")

LOG_FORMAT = training.LogFormat("%(asctime)s %(name)s %(levelname)-8s %(message)s", "%Y-%m-%d %H:%M:%S")


def train(root: Path, container: Mapping[str, str], stopping: Stopping) -> None:
    """One host's part of a job; raises ScriptFailed or Misconfigured. The hosts' directories stand beside each other."""
    cluster, root = root.parent, as_seen(root)
    environment = read_environment(root, container)
    entry_point = environment.entry_point
    if entry_point is None:
        raise Misconfigured(
            "No script to run: the hyperparameter sagemaker_program (or the environment variable SAGEMAKER_PROGRAM) must "
            "name the entry point in sagemaker_submit_directory."
        )
    distribution.check_distribution(environment)
    if environment.framework_module == TENSORFLOW.module:
        environment = with_model_dir(environment)
    for name in ("data", "intermediate"):
        (root / "output" / name).mkdir(parents=True, exist_ok=True)
    packages = root / "packages"
    told = {**environment.variables(), **_paths(container, root)}
    job = Job(environment.code, packages, child_environment(container, told, [environment.code, packages]), stopping)
    place_code(environment.module_dir, job.code)
    prepare(job, entry_point)
    if stopping.requested:
        return
    _run(environment, job, cluster, command(job.code, entry_point, environment.arguments()))
    if environment.framework_module == TENSORFLOW.module:
        warn_unless_servable(root / "model")
    logger.info("Reporting training SUCCESS")
    (root / "output" / "success").touch()


def _run(environment: TrainingEnvironment, job: Job, cluster: Path, program: list[str]) -> None:
    hosts, host = environment.hosts, environment.current_host
    tensorflow = environment.framework_module == TENSORFLOW.module
    shown = "\n".join(f"{name}={value}" for name, value in sorted(job.environment.items()) if name.startswith("SM_"))
    logger.info("Invoking user script\n\nEnvironment variables:\n\n%s\n", shown)
    logger.info("Invoking script with the following command:\n\n%s\n", " ".join(program))
    if tensorflow and environment.enabled(distribution.PARAMETER_SERVER) and len(hosts) > 1:
        logger.info("Running distributed training job with parameter servers")
        config = distribution.parameter_server_config(hosts, host, distribution.addresses(environment, cluster))
        finished = distribution.Finished(environment, cluster)
        with _parameter_server(config, hosts.index(host), job):
            run(_configured(job, config), EXECUTE, program)
            finished.tell()
            finished.wait_for_master(lambda: job.stopping.requested)
        return
    if tensorflow and environment.enabled(distribution.MIRRORED):
        logger.info("Running distributed training job with multi_worker_mirrored_strategy setup")
        job = _configured(job, distribution.mirrored_config(hosts, host, distribution.addresses(environment, cluster)))
    run(job, EXECUTE, program)


def _configured(job: Job, config: Mapping[str, object]) -> Job:
    return replace(job, environment={**job.environment, "TF_CONFIG": json.dumps(config)})


@contextmanager
def _parameter_server(config: Mapping[str, object], index: int, job: Job) -> Iterator[None]:
    """This host's parameter server, beside its script."""
    if not TENSORFLOW.is_installed:
        raise Misconfigured(TENSORFLOW.missing)
    task = _configured(job, {**config, "task": {"index": index, "type": "ps"}})
    server = subprocess.Popen(
        [sys.executable, "-m", distribution.__name__],
        env={**task.environment, "PYTHONPATH": os.environ.get("PYTHONPATH", "")},
        stdin=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        server.kill()
        server.wait()


def with_model_dir(environment: TrainingEnvironment) -> TrainingEnvironment:
    """The jobs of one tuning job must not share the ``model_dir`` that they are given; one below ``/opt/ml`` is not shared."""
    given = environment.hyperparameters.get("model_dir")
    if not environment.is_tuned or not isinstance(given, str) or given.startswith(str(environment.root)):
        return environment
    model_dir = f"{given}/{environment.job_name}/model"
    logger.info("Appending the training job name to model_dir: %s", model_dir)
    return replace(environment, hyperparameters={**environment.hyperparameters, "model_dir": model_dir})


def warn_unless_servable(model: Path) -> None:
    """TensorFlow Serving loads a SavedModel from a directory whose name is a number."""
    files = [path for path in model.rglob("*") if path.is_file()]
    saved = [path for path in files if path.name in ("saved_model.pb", "saved_model.pbtxt")]
    if not files:
        logger.warning(
            "No model artifact is saved under path %s. Your training job will not save any model files to S3.\n"
            "For details of how to construct your training script see:\n"
            "https://sagemaker.readthedocs.io/en/stable/using_tf.html#adapting-your-local-tensorflow-script",
            model,
        )
    elif not saved:
        logger.warning(
            "Your model will NOT be servable with SageMaker TensorFlow Serving container. "
            "The model artifact was not saved in the TensorFlow SavedModel directory structure:\n"
            "https://www.tensorflow.org/guide/saved_model#structure_of_a_savedmodel_directory"
        )
    for path in saved:
        if not re.fullmatch(r"\d+", path.parent.name):
            logger.warning(
                "Your model will NOT be servable with SageMaker TensorFlow Serving containers. "
                'The SavedModel bundle is under directory "%s", not a numeric name.',
                path.parent.name,
            )


def _paths(container: Mapping[str, str], root: Path) -> dict[str, str]:
    """The request's own variables that name paths of the container."""
    return {name: f"{root}{value.removeprefix('/opt/ml')}" for name, value in container.items() if value.startswith("/opt/ml/")}


def main() -> None:
    stopping = Stopping()
    training.run(lambda root: train(root.resolve(), os.environ, stopping), described, LOG_FORMAT, stopping)


if __name__ == "__main__":
    main()
