"""The parts of SageMaker's Python SDK 3 that the tests use.

Imported by name: the environment in which the types are checked has the SDK 2, and what this one warns of while it is imported
is not ours.
"""

from __future__ import annotations

import warnings
from importlib import import_module

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    _train, _configs, _tuner = (import_module(f"sagemaker.train{name}") for name in ("", ".configs", ".tuner"))
    _serve, _core = import_module("sagemaker.serve"), import_module("sagemaker.core")
    _session, _settings = import_module("sagemaker.core.helper.session_helper"), import_module("sagemaker.core.session_settings")
    _parameter, _transformer = import_module("sagemaker.core.parameter"), import_module("sagemaker.core.transformer")
    _inference, _errors = import_module("sagemaker.core.inference_config"), import_module("sagemaker.core.utils.exceptions")

image_uris = _core.image_uris
Session, SessionSettings = _session.Session, _settings.SessionSettings
ModelTrainer, ModelBuilder, HyperparameterTuner = _train.ModelTrainer, _serve.ModelBuilder, _tuner.HyperparameterTuner
SourceCode, Compute, InputData, OutputDataConfig = (
    getattr(_configs, name) for name in ("SourceCode", "Compute", "InputData", "OutputDataConfig")
)
Networking = _configs.Networking
ContinuousParameter, IntegerParameter = _parameter.ContinuousParameter, _parameter.IntegerParameter
ServerlessInferenceConfig, AsyncInferenceConfig = _inference.ServerlessInferenceConfig, _inference.AsyncInferenceConfig
Transformer = _transformer.Transformer
FailedStatusError = _errors.FailedStatusError
