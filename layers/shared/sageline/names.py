"""Run ids and the names that derive from them.

SageMaker allows 63 characters of ``[a-zA-Z0-9](-*[a-zA-Z0-9])*`` for training jobs, models, endpoint configs,
endpoints and variants (botocore's service model). A run id has at most 54, so it serves as the name of everything
that a run makes: the training job, the transform jobs, the model, the endpoint config, and the variant (the model version).
A tuning job's name has at most 32 characters, so there the run's name is cut.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NamedTuple, TypeAlias

# For pydantic, and for `re.fullmatch`: to `re.match`, `$` also matches before a line feed at the end.
NAME_PATTERN = r"^[a-z0-9](-?[a-z0-9])*$"
NAME_MAX_LENGTH = 32
ENDPOINT_NAME_PATTERN = r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$"
ENDPOINT_NAME_MAX_LENGTH = 63
RUN_ID_PATTERN = r"^[a-z0-9](-?[a-z0-9])*-[0-9]{14}-[0-9a-f]{6}$"
RUN_ID_MAX_LENGTH = NAME_MAX_LENGTH + len("-yyyymmddHHMMSS-123abc")
COMPRESSIONS = ("gz", "zst")
_TEXT_FORMATS = ("csv", "tsv", "jsonl", "libsvm", "svm")
DATA_FORMATS = (
    *(f"{name}{end}" for name in _TEXT_FORMATS for end in ("", *(f".{compression}" for compression in COMPRESSIONS))),
    "npz",
    "parquet",
    "xlsx",
    "zip",
)
"""File name extensions of datasets and batches, which are also the names of their formats."""

DATA_FORMATS_NAMED = ".csv, .tsv, .jsonl, .parquet, .xlsx, .npz, .libsvm (.svm), or .zip of images; text also as .gz or .zst"
"""The same for a person."""

DATA_FORMAT_PATTERN = "|".join(name.replace(".", r"\.") for name in DATA_FORMATS)
DATASET_KEY_PATTERN = re.compile(rf"datasets/(?P<name>[^/]+)/data\.(?P<format>{DATA_FORMAT_PATTERN})")
"""Matched whole, by ``fullmatch``."""
DATASET_FOLDER_PATTERN = re.compile(r"datasets/(?P<name>[^/]+)/")
"""Of the folder that holds a dataset's parts; matched whole."""
READY = "_READY"
"""The object whose upload says that all parts of a dataset are there."""
SIDES = ("data", "train", "test")
"""How the file names of parts begin. ``train*`` and ``test*`` beside each other are a split."""


class DataFormat(NamedTuple):
    """What a format's name says.

    Attributes:
        base: ``csv``, ``tsv``, ``jsonl``, ``libsvm``, ``npz``, ``parquet``, ``xlsx`` or ``zip``.
        compression: one of :data:`COMPRESSIONS`, or empty.
    """

    base: str
    compression: str


def split_format(data_format: str) -> DataFormat:
    """One of :data:`DATA_FORMATS` taken apart."""
    base, _, compression = data_format.partition(".")
    return DataFormat("libsvm" if base == "svm" else base, compression)


def is_name(text: str) -> bool:
    """Whether a dataset and its runs may have this name."""
    return len(text) <= NAME_MAX_LENGTH and re.fullmatch(NAME_PATTERN, text) is not None


def is_endpoint_name(text: str) -> bool:
    """Whether SageMaker takes this as the name of an endpoint."""
    return len(text) <= ENDPOINT_NAME_MAX_LENGTH and re.fullmatch(ENDPOINT_NAME_PATTERN, text) is not None


def is_run_id(text: str) -> bool:
    """Whether :func:`run_id` can have made this."""
    return len(text) <= RUN_ID_MAX_LENGTH and re.fullmatch(RUN_ID_PATTERN, text) is not None


def run_id(name: str, at: datetime, *identity: str) -> str:
    """``<name>-<utc yyyymmddHHMMSS>-<6 hex>``; the hex part hashes ``identity``, so the same trigger gives the same id."""
    digest = hashlib.sha256("\n".join(identity).encode()).hexdigest()
    return f"{name}-{at.astimezone(UTC):%Y%m%d%H%M%S}-{digest[:6]}"


def candidate_run_id(run_id: str, algorithm: str) -> str:
    """The run that trains one algorithm for a run of several: ``<name>-<algorithm>-<utc>-<6 hex>``, always the same."""
    name, moment, _ = run_id.rsplit("-", 2)
    digest = hashlib.sha256(f"{run_id}\n{algorithm}".encode()).hexdigest()
    return f"{name[: NAME_MAX_LENGTH - len(algorithm) - 1].rstrip('-')}-{algorithm}-{moment}-{digest[:6]}"


def tuning_job_name(run_id: str) -> str:
    """The name of a run's tuning job: its id with the name cut to 10 characters, which makes 32 at most."""
    name, moment, digest = run_id.rsplit("-", 2)
    return f"{name[:10].rstrip('-')}-{moment}-{digest}"


TransformPurpose: TypeAlias = Literal["batch", "evaluation", "champion"]
"""What a run's transform job answers: a batch's rows, or the test rows with the new model or with the one in service."""


@dataclass(frozen=True)
class Transform:
    """What belongs to one of the transform jobs that a run may have."""

    state: str
    """The state that starts the job and waits for it."""
    suffix: str
    """The job's name is the run id with this."""
    job_key: str
    """Where the run's record notes the job that was started."""
    result_key: str
    """Where the run's record notes what came of the job."""


TRANSFORMS: dict[TransformPurpose, Transform] = {
    "batch": Transform("RunTransform", "", "transform_job", "transform"),
    "evaluation": Transform("RunEvaluationTransform", "-test", "evaluation_job", "evaluation_transform"),
    "champion": Transform("RunChampionTransform", "-champion", "champion_job", "champion_transform"),
}


def transform_job_name(run_id: str, purpose: TransformPurpose) -> str:
    """The name of one of a run's transform jobs, at most 63 characters."""
    return run_id + TRANSFORMS[purpose].suffix


def transform_job_names(run_id: str) -> list[str]:
    """The names of all transform jobs that a run may have."""
    return [run_id + transform.suffix for transform in TRANSFORMS.values()]


def transform_of(run_id: str, job_name: str) -> Transform:
    """Which of the run's transform jobs has this name.

    Raises:
        ValueError: the run has no such job.
    """
    for transform in TRANSFORMS.values():
        if run_id + transform.suffix == job_name:
            return transform
    raise ValueError(f"not a transform job of run {run_id}: {job_name}")


_OPEN = "-open"


def open_model_name(run_id: str) -> str:
    """The name of a run's model for serverless endpoints, which take no isolated one; at most 59 characters."""
    return run_id + _OPEN


def serving_model(model_version: str, *, serverless: bool) -> str:
    """The name of the model that a variant serves: a serverless endpoint takes none that is isolated."""
    return open_model_name(model_version) if serverless else model_version


def model_names(run_id: str) -> tuple[str, str]:
    """The models that a run may have made of its artifact: the isolated one, and the one for serverless endpoints."""
    return run_id, open_model_name(run_id)


def models_like(model_name: str) -> tuple[str, str]:
    """A model and the other one of the same artifact, which come and go together."""
    return model_names(model_name.removesuffix(_OPEN))


@dataclass(frozen=True)
class RunLayout:
    """Where a run keeps its objects: S3 keys of one bucket, but for its checkpoints and its model below ``runs/<run_id>/``."""

    bucket: str
    run_id: str

    @property
    def prefix(self) -> str:
        return f"runs/{self.run_id}/"

    @property
    def spec_key(self) -> str:
        return f"{self.prefix}spec.json"

    @property
    def given_spec_key(self) -> str:
        """The spec as it was given, of which ``spec_key`` has the resolved one."""
        return f"{self.prefix}given-spec.json"

    @property
    def parts_key(self) -> str:
        """All parts of a dataset of several files, in the versions that the run reads."""
        return f"{self.prefix}parts.json"

    @property
    def encoder_prefix(self) -> str:
        return f"{self.prefix}encoder/"

    @property
    def shards_prefix(self) -> str:
        """What the functions that prepare a dataset in shards leave for each other."""
        return f"{self.prefix}shards/"

    @property
    def profile_key(self) -> str:
        return f"{self.prefix}data/profile.json"

    @property
    def test_raw_prefix(self) -> str:
        return f"{self.prefix}data/test-raw/"

    @property
    def validation_labels_prefix(self) -> str:
        """The labels of the validation rows that the model is asked about, in the order in which it is."""
        return f"{self.prefix}data/validation-labels/"

    @property
    def training_prefix(self) -> str:
        return f"{self.prefix}training/"

    @property
    def checkpoints_prefix(self) -> str:
        """What a training on spare machines goes on from. SageMaker writes it and tags nothing, so it expires by this prefix."""
        return f"checkpoints/{self.run_id}/"

    @property
    def trials_key(self) -> str:
        """The trials of a tuning job, best first."""
        return f"{self.training_prefix}trials.json"

    @property
    def network_prefix(self) -> str:
        """The output of a training job whose script may use the network: what such a script may write."""
        return f"{self.prefix}network/"

    @property
    def network_checkpoints_prefix(self) -> str:
        """The checkpoints of such a training job."""
        return f"checkpoints/network/{self.run_id}/"

    @property
    def model_prefix(self) -> str:
        return f"models/{self.run_id}/"

    @property
    def model_key(self) -> str:
        """The artifact that models are made of: a copy of the training job's, where no job may write."""
        return f"{self.model_prefix}model.tar.gz"

    @property
    def source_prefix(self) -> str:
        return f"{self.prefix}source/"

    @property
    def source_key(self) -> str:
        """The script that a training job runs, as the archive that its container unpacks."""
        return f"{self.source_prefix}sourcedir.tar.gz"

    @property
    def transform_prefix(self) -> str:
        return f"{self.prefix}transform/"

    @property
    def evaluation_key(self) -> str:
        """What the held-out rows say about the model (docs/evaluation.md)."""
        return f"{self.prefix}evaluation/evaluation.json"

    @property
    def report_key(self) -> str:
        """The same for people, as a page."""
        return f"{self.prefix}evaluation/report.html"

    def channel_prefix(self, channel: str) -> str:
        """Rows of one channel: ``train`` and ``validation`` encoded, ``test-raw``, or those of a transform job."""
        return f"{self.prefix}data/{channel}/"

    def uri(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"


def dataset_key(name: str, data_format: str = "csv") -> str:
    """Key of a dataset's upload; putting an object there starts a run."""
    return f"datasets/{name}/data.{data_format}"


def dataset_folder(name: str) -> str:
    """The prefix of a dataset's parts, its spec and its script."""
    return f"datasets/{name}/"


def ready_key(name: str) -> str:
    """Key of the empty object that starts a run of a dataset's parts."""
    return dataset_folder(name) + READY


def format_of_name(file_name: str) -> str | None:
    """The format that a file name says, in whichever case, or None."""
    name = file_name.lower()
    return next((known for known in sorted(DATA_FORMATS, key=len, reverse=True) if name.endswith(f".{known}")), None)


def side_of_name(file_name: str) -> str | None:
    """Which of :data:`SIDES` a part of this name is of; None if it is no part."""
    return next((side for side in SIDES if file_name.startswith(side)), None)


def starts_a_run(file_name: str) -> bool:
    """Whether putting a file of this name into a dataset's folder starts a run at once."""
    return file_name in {f"data.{known}" for known in DATA_FORMATS}


def dataset_spec_key(name: str) -> str:
    """Key of the optional spec beside a dataset; uploading it starts nothing."""
    return f"datasets/{name}/spec.json"


def source_key(name: str) -> str:
    """Key of the training script that was uploaded with a dataset; uploading it starts nothing."""
    return f"datasets/{name}/source.tar.gz"


INTERMEDIATE = "sageline%3Aretention=intermediate"
"""The tag, as S3 takes it with an object, by which the bucket's lifecycle rules expire what only a run needs."""

PRICES_KEY = "prices.json"
"""Key of the optional prices that a stack counts with instead of the list's."""


def routing_key(endpoint_name: str) -> str:
    """Key of the routing document that predictions are served from."""
    return f"endpoints/{endpoint_name}/routing.json"


def split_s3_uri(uri: str) -> tuple[str, str]:
    """``s3://bucket/key`` to ``(bucket, key)``; ValueError when it is not an S3 URI of an object."""
    match = re.fullmatch(r"s3://([^/]+)/(.+)", uri)
    if match is None:
        raise ValueError(f"not an S3 URI of an object: {uri!r}")
    return match[1], match[2]
