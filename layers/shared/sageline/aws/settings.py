"""What a function reads from its environment, one small dataclass per need.

A field's name in upper case is the name of the variable that the template sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from sageline.errors import SettingsError


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Base of all settings."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read every field from ``environment`` (``os.environ``).

        Raises:
            SettingsError: a variable is missing or empty; names all such variables.
        """
        names = {field.name: field.name.upper() for field in fields(cls)}
        missing = [name for name in names.values() if not environment.get(name)]
        if missing:
            raise SettingsError(f"The function's environment lacks {', '.join(missing)}; the template must set it.")
        return cls(**{field: environment[name] for field, name in names.items()})


@dataclass(frozen=True, kw_only=True)
class ServingSettings(Settings):
    """What serving predictions needs: where routing and encoders are kept, and whose predictions are counted."""

    bucket_name: str
    stack_name: str


@dataclass(frozen=True, kw_only=True)
class RunSettings(Settings):
    """What every step of a run needs: where data and records are kept, and the value of the tag ``sageline:stack``."""

    bucket_name: str
    runs_table_name: str
    stack_name: str


@dataclass(frozen=True, kw_only=True)
class ConfigureSettings(RunSettings):
    """What configuring a run needs besides: after how many seconds a waiting run looks for itself, ``true`` if scripts may use
    the network, and how many functions may prepare one dataset at once."""

    check_interval_seconds: str
    allow_script_network: str
    max_workers: str


@dataclass(frozen=True, kw_only=True)
class SageMakerSettings(RunSettings):
    """What creating a training job or a model needs besides: the roles SageMaker works as; for scripts that use the network
    ``none`` where the stack lets none."""

    sagemaker_role_arn: str
    network_script_role_arn: str


@dataclass(frozen=True, kw_only=True)
class ModelSettings(SageMakerSettings):
    """What creating a model needs besides: the role of models on serverless endpoints."""

    serverless_model_role_arn: str


@dataclass(frozen=True, kw_only=True)
class DeploySettings(RunSettings):
    """What deploying needs besides: the topic by which a rollout's alarms are heard, and for how many days logs are kept."""

    rollout_topic_arn: str
    log_retention_days: str


@dataclass(frozen=True, kw_only=True)
class ApiSettings(RunSettings):
    """What the HTTP API needs besides: the state machine to start and stop, the function that undoes a deployment, how large a
    file may be that is uploaded by URL."""

    max_upload_megabytes: str
    state_machine_arn: str
    delete_endpoint_function_name: str


@dataclass(frozen=True, kw_only=True)
class LifetimeSettings(Settings):
    """What giving an endpoint a time to live needs: the schedules' group, what they call and as whom, and where a call goes
    that could not be delivered."""

    schedule_group_name: str
    schedule_role_arn: str
    expire_function_arn: str
    schedule_dead_letter_queue_arn: str


@dataclass(frozen=True, kw_only=True)
class DeletingSettings(RunSettings):
    """What deleting endpoints needs besides: the group of their schedules."""

    schedule_group_name: str


@dataclass(frozen=True, kw_only=True)
class SweepSettings(DeletingSettings):
    """What the sweep needs besides: ``true`` if it deletes what it finds, ``false`` if it reports it."""

    sweep_deletes: str


@dataclass(frozen=True, kw_only=True)
class FailureSettings(RunSettings):
    """What closing a failed run needs besides: the function that undoes a deployment."""

    delete_endpoint_function_name: str
