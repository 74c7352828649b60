"""What a script is told about its job: the ``SM_*`` variables and its command line, by the training toolkit's rules.

``sagemaker-training`` itself is not used. It comes as source with a C extension, so that every install needs a compiler, and
brings gevent, paramiko and Werkzeug; importing its ``environment`` takes a second and makes folders, below the home directory
where there is no ``/opt/ml``. ``make test-containers`` runs it beside these rules.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_PREFIX = "sagemaker_"
# Hyperparameters for the toolkit itself. Every other one that begins with the prefix is a framework's parameter.
_OWN = (
    *("sagemaker_program", "sagemaker_submit_directory", "sagemaker_enable_cloudwatch_metrics", "sagemaker_region"),
    *("sagemaker_container_log_level", "sagemaker_job_name", "default_user_module_name", "_tuning_objective_metric"),
    "sagemaker_s3_output",
)
_DISTRIBUTIONS = (
    *("sagemaker_mpi_enabled", "sagemaker_parameter_server_enabled", "sagemaker_distributed_dataparallel_enabled"),
    *("sagemaker_pytorch_ddp_enabled", "sagemaker_pytorch_xla_multi_worker_enabled"),
    "sagemaker_multi_worker_mirrored_strategy_enabled",
)
_CONTAINER_ROOT = "/opt/ml"

Json = object


@dataclass(frozen=True)
class TrainingEnvironment:
    """A job as the toolkit sees it on one host; ``root`` stands for ``/opt/ml``."""

    root: Path
    entry_point: str | None
    module_dir: str
    hyperparameters: Mapping[str, Json]
    framework_parameters: Mapping[str, Json]
    own_parameters: Mapping[str, Json]
    resource_config: Mapping[str, Json]
    input_data_config: Mapping[str, Mapping[str, Json]]
    framework_module: str | None
    job_name: str | None
    region: str

    @property
    def code(self) -> Path:
        return self.root / "code"

    @property
    def hosts(self) -> list[str]:
        return _strings(self.resource_config["hosts"])

    @property
    def current_host(self) -> str:
        return str(self.resource_config["current_host"])

    @property
    def is_tuned(self) -> bool:
        return "_tuning_objective_metric" in self.own_parameters

    def enabled(self, distribution: str) -> bool:
        """Whether the SDK asked for a way of distributing, such as ``sagemaker_mpi_enabled``."""
        return bool(self.framework_parameters.get(distribution, False))

    def arguments(self) -> list[str]:
        """The command line: keys in order, one-letter keys with one dash, a dict as ``a=1,b=2``, the rest as Python writes it."""
        arguments = []
        for name in sorted(self.hyperparameters):
            if name:
                arguments.append(f"--{name}" if len(name) > 1 else f"-{name}")
            else:
                arguments.append("")
            arguments.append(_argument(self.hyperparameters[name]))
        return arguments

    def variables(self) -> dict[str, str]:
        """All ``SM_*`` variables, and the four without that prefix."""
        properties = self._properties()
        told = {
            name: properties[name]
            for name in (
                *("hosts", "network_interface_name", "user_entry_point", "resource_config", "input_data_config"),
                *("output_data_dir", "current_host", "current_instance_type", "current_instance_group", "instance_groups"),
                *("current_instance_group_hosts", "instance_groups_dict", "distribution_instance_groups", "is_hetero"),
                *("module_name", "log_level", "framework_module", "input_dir", "input_config_dir", "output_dir"),
                *("num_cpus", "num_gpus", "num_neurons", "model_dir", "module_dir", "output_intermediate_dir"),
            )
        }
        told |= {
            "hps": self.hyperparameters,
            "framework_params": self.framework_parameters,
            "channels": sorted(self.input_data_config),
            "training_env": properties,
            "user_args": self.arguments(),
        }
        told |= {f"channel_{name}": path for name, path in self._channels().items()}
        told |= {f"hp_{name}": value for name, value in self.hyperparameters.items()}
        return {
            **{f"SM_{name.upper()}": _text(value) for name, value in told.items()},
            "CURRENT_HOST": self.current_host,
            "SAGEMAKER_REGION": self.region,
            "SAGEMAKER_JOB_NAME": _text(self.own_parameters.get("sagemaker_job_name", "")),
        }

    def _channels(self) -> dict[str, str]:
        return {name: str(self.root / "input" / "data" / name) for name in self.input_data_config}

    def _properties(self) -> dict[str, Json]:
        """Every property, as ``SM_TRAINING_ENV`` has them."""
        config = self.resource_config
        group = str(config.get("current_group_name", "homogeneousCluster"))
        groups = _groups(config)
        distributed = self._distribution_groups(group)
        spread = [host for name in groups if name in distributed for host in _strings(groups[name]["hosts"])]
        master = (spread or self.hosts)[0]
        return {
            "additional_framework_parameters": self.framework_parameters,
            "channel_input_dirs": self._channels(),
            "current_host": self.current_host,
            "current_instance_group": group,
            "current_instance_group_hosts": _strings(groups.get(group, {}).get("hosts", [])),
            "current_instance_type": config.get("current_instance_type", "local"),
            "distribution_hosts": spread if groups else self.hosts,
            "distribution_instance_groups": distributed,
            "framework_module": self.framework_module,
            "hosts": self.hosts,
            "hyperparameters": self.hyperparameters,
            "input_config_dir": str(self.root / "input" / "config"),
            "input_data_config": self.input_data_config,
            "input_dir": str(self.root / "input"),
            "instance_groups": list(groups),
            "instance_groups_dict": groups,
            "is_hetero": len(groups) > 1,
            "is_master": self.current_host == master,
            "is_modelparallel_enabled": None,
            "is_smddpmprun_installed": False,
            "is_smddprun_installed": False,
            "job_name": self.job_name,
            "log_level": self.own_parameters.get("sagemaker_container_log_level", 20),
            "master_hostname": master,
            "model_dir": str(self.root / "model"),
            "module_dir": self.module_dir,
            "module_name": self.entry_point.removesuffix(".py") if self.entry_point else None,
            "network_interface_name": config.get("network_interface_name", "eth0"),
            "num_cpus": os.cpu_count() or 1,
            "num_gpus": 0,
            "num_neurons": 0,
            "output_data_dir": str(self.root / "output" / "data"),
            "output_dir": str(self.root / "output"),
            "output_intermediate_dir": str(self.root / "output" / "intermediate"),
            "resource_config": config,
            "topology": config.get("topology", []),
            "user_entry_point": self.entry_point,
        }

    def _distribution_groups(self, group: str) -> list[str]:
        asked = self.framework_parameters.get("sagemaker_distribution_instance_groups")
        if asked is not None:
            return _strings(asked)
        return [group] if any(self.enabled(name) for name in _DISTRIBUTIONS) else []


def read_environment(root: Path, container: Mapping[str, str]) -> TrainingEnvironment:
    """From the files of ``input/config`` and the container's own variables, which go before the two hyperparameters.

    Values of hyperparameters are JSON, or text if they are not. A path below ``/opt/ml`` becomes the directory that
    stands for it.
    """
    config = root / "input" / "config"
    given = {
        name: in_root(_decoded(value), root) for name, value in json.loads((config / "hyperparameters.json").read_text()).items()
    }
    own = {name: value for name, value in given.items() if name in _OWN}
    program = container.get("SAGEMAKER_PROGRAM") or own.get("sagemaker_program")
    directory = container.get("SAGEMAKER_SUBMIT_DIRECTORY") or own.get("sagemaker_submit_directory") or str(root / "code")
    return TrainingEnvironment(
        root=root,
        entry_point=str(program) if program else None,
        module_dir=str(in_root(directory, root)),
        hyperparameters={name: value for name, value in given.items() if name not in own and not name.startswith(_PREFIX)},
        framework_parameters={name: value for name, value in given.items() if name not in own and name.startswith(_PREFIX)},
        own_parameters=own,
        resource_config=json.loads((config / "resourceconfig.json").read_text()),
        input_data_config=json.loads((config / "inputdataconfig.json").read_text()),
        framework_module=container.get("SAGEMAKER_TRAINING_MODULE"),
        job_name=container.get("TRAINING_JOB_NAME"),
        region=str(own.get("sagemaker_region") or container.get("AWS_REGION") or ""),
    )


def in_root(value: Json, root: Path) -> Json:
    """A text that is a path of the container, as a path here; anything else as it is."""
    if isinstance(value, str) and (value == _CONTAINER_ROOT or value.startswith(f"{_CONTAINER_ROOT}/")):
        return f"{root}{value.removeprefix(_CONTAINER_ROOT)}"
    return value


def _decoded(value: str) -> Json:
    try:
        decoded: Json = json.loads(value)
    except ValueError:
        return value
    return decoded


def _argument(value: Json) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{key}={part}" for key, part in sorted(value.items()))
    return "" if value is None else str(value)


def _text(value: Json) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))


def _strings(value: Json) -> list[str]:
    return [str(item) for item in value] if isinstance(value, Iterable) else []


def _groups(config: Mapping[str, Json]) -> dict[str, Mapping[str, Json]]:
    groups = config.get("instance_groups")
    return {str(group["instance_group_name"]): group for group in groups} if isinstance(groups, list) else {}
