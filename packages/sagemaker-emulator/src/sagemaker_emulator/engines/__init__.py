"""The training and serving programs behind the images of SageMaker's algorithms.

An engine is a module to train with and a module to serve with, each run as a child process:

- ``python -m <train_module> --root DIR``: DIR is laid out as ``/opt/ml``; exit status 0 is success, and the text of
  ``output/failure`` tells what went wrong otherwise. SIGTERM ends it; what is in ``model/`` then is kept.
- ``python -m <serve_module> --root DIR --socket FD``: serves ``GET /ping`` and ``POST /invocations`` on the listening
  socket, with the model's files in ``model/``.

What all engines need for that (arguments, logging, SIGTERM, the failure file; the HTTP server) is in ``shell``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sagemaker_emulator.engines.blazingtext import METRIC_DEFINITIONS as BLAZINGTEXT_METRICS
from sagemaker_emulator.engines.knn import METRIC_DEFINITIONS as KNN_METRICS
from sagemaker_emulator.engines.linear_learner import METRIC_DEFINITIONS as LINEAR_LEARNER_METRICS
from sagemaker_emulator.engines.script import frameworks
from sagemaker_emulator.engines.xgboost import METRIC_DEFINITIONS as XGBOOST_METRICS
from sagemaker_emulator.engines.xgboost.versions import LIBRARIES, VARIABLE, Version

_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/(?P<repository>[^:@]+):(?P<tag>[\w.-]+)"
)

_TOOLKIT = "sagemaker_emulator.engines.script.train"
_MODEL_SERVER = "sagemaker_emulator.engines.script.serve"
_TENSORFLOW_SERVING = "sagemaker_emulator.engines.script.tensorflow_serving.serve"
_ABSENT = "sagemaker_emulator.engines.shell.absent"


@dataclass(frozen=True)
class Engine:
    """How an image's algorithm is run here; ``metrics`` are (name, regular expression) pairs over its log lines.

    ``tags`` are shell patterns. An engine that ``runs_scripts`` runs the customer's own code, which the service fetches, and
    which gets the execution role's credentials; one that ``serves_fetched_code`` looks for it in S3, others only in the model.
    ``environment`` is what the image itself sets.
    """

    repository: str
    tags: tuple[str, ...]
    train_module: str
    serve_module: str
    metrics: tuple[tuple[str, str], ...]
    runs_scripts: bool = False
    serves_fetched_code: bool = False
    environment: tuple[tuple[str, str], ...] = ()

    def runs(self, repository: str, tag: str) -> bool:
        return repository == self.repository and any(fnmatchcase(tag, pattern) for pattern in self.tags)


def script_engines() -> Iterator[Engine]:
    """The framework images: of any version, by the one version of the framework that is installed here."""
    processors, builds = ("[0-9]*.[0-9]*-[cg]pu*",), ("[0-9]*.[0-9]*-[0-9]*",)
    for repository, tags, framework, train, serve in (
        ("tensorflow-training", processors, frameworks.TENSORFLOW, _TOOLKIT, _ABSENT),
        ("tensorflow-inference", processors, frameworks.TENSORFLOW, _ABSENT, _TENSORFLOW_SERVING),
        ("pytorch-training", processors, frameworks.PYTORCH, _TOOLKIT, _ABSENT),
        ("pytorch-inference", processors, frameworks.PYTORCH, _ABSENT, _MODEL_SERVER),
        ("sagemaker-scikit-learn", builds, frameworks.SCIKIT_LEARN, _TOOLKIT, _MODEL_SERVER),
        ("sagemaker-xgboost", builds, frameworks.XGBOOST, _TOOLKIT, _MODEL_SERVER),
    ):
        environment = (("SAGEMAKER_TRAINING_MODULE", framework.module),)
        fetched = framework in (frameworks.SCIKIT_LEARN, frameworks.XGBOOST)
        yield Engine(repository, tags, train, serve, (), runs_scripts=True, serves_fetched_code=fetched, environment=environment)


def xgboost_engines() -> Iterator[Engine]:
    """XGBoost's images: of any version, by the one version that is installed here."""
    for version in map(Version, LIBRARIES):
        yield Engine(
            repository=version.repository,
            # The old ones have a processor and a Python in their names.
            tags=(version.tag, "latest") if version.repository == "xgboost" else (version.tag, f"{version.tag}-cpu-py3"),
            train_module="sagemaker_emulator.engines.xgboost.train",
            serve_module="sagemaker_emulator.engines.xgboost.serve",
            metrics=XGBOOST_METRICS,
            environment=((VARIABLE, version.tag),),
        )


ENGINES = (
    *xgboost_engines(),
    Engine(
        repository="linear-learner",
        tags=("1", "latest"),
        train_module="sagemaker_emulator.engines.linear_learner.train",
        serve_module="sagemaker_emulator.engines.linear_learner.serve",
        metrics=LINEAR_LEARNER_METRICS,
    ),
    Engine(
        repository="knn",
        tags=("1", "latest"),
        train_module="sagemaker_emulator.engines.knn.train",
        serve_module="sagemaker_emulator.engines.knn.serve",
        metrics=KNN_METRICS,
    ),
    Engine(
        repository="blazingtext",
        tags=("1", "latest"),
        train_module="sagemaker_emulator.engines.blazingtext.train",
        serve_module="sagemaker_emulator.engines.blazingtext.serve",
        metrics=BLAZINGTEXT_METRICS,
    ),
    *script_engines(),
)


class UnknownImage(Exception):
    """No engine runs this image; the message says which images can be run."""


def engine_for(image: str, *, scripted: bool = False) -> Engine:
    """The engine of an image URI; raises :class:`UnknownImage`.

    ``scripted``: the job or the model brings code of its own, and an image that is an algorithm's then is a framework's.
    """
    match = _IMAGE.fullmatch(image)
    algorithms = {engine.repository for engine in ENGINES if not engine.runs_scripts}
    for engine in ENGINES:
        wanted = engine.runs_scripts == scripted or engine.repository not in algorithms
        if wanted and match and engine.runs(match["repository"], match["tag"]):
            return engine
    tags: dict[str, list[str]] = {}
    for engine in ENGINES:
        tags.setdefault(engine.repository, []).append(engine.tags[0])
    available = "; ".join(f"{repository}:{', '.join(known)}" for repository, known in tags.items())
    raise UnknownImage(
        f"Cannot pull the image {image}: the local SageMaker service has no engine for it. "
        f"Images that it runs (in any region's registry): {available}."
    )
