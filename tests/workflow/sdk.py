"""The parts of the SageMaker Python SDK 2 that the tests use.

Imported by name: what the SDK warns of while it is imported is not ours, and its type hints do not hold (every one is Any).
"""

from __future__ import annotations

import warnings
from importlib import import_module

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    _sagemaker = import_module("sagemaker")
    _sklearn, _tensorflow = import_module("sagemaker.sklearn"), import_module("sagemaker.tensorflow")
    _serializers, _deserializers = import_module("sagemaker.serializers"), import_module("sagemaker.deserializers")
    _parameter, _tuner = import_module("sagemaker.parameter"), import_module("sagemaker.tuner")
    _async, _exceptions = import_module("sagemaker.async_inference"), import_module("sagemaker.exceptions")
    _predictor_async = import_module("sagemaker.predictor_async")

image_uris = _sagemaker.image_uris
Session = _sagemaker.Session
Estimator = _sagemaker.estimator.Estimator
LinearLearner, KNN = _sagemaker.LinearLearner, _sagemaker.KNN
SKLearn, TensorFlow = _sklearn.SKLearn, _tensorflow.TensorFlow
Transformer = _sagemaker.transformer.Transformer
TrainingInput = _sagemaker.inputs.TrainingInput
HyperparameterTuner = _tuner.HyperparameterTuner
ContinuousParameter, IntegerParameter = _parameter.ContinuousParameter, _parameter.IntegerParameter
CSVSerializer, JSONSerializer = _serializers.CSVSerializer, _serializers.JSONSerializer
CSVDeserializer, JSONDeserializer = _deserializers.CSVDeserializer, _deserializers.JSONDeserializer
Predictor, AsyncPredictor = _sagemaker.Predictor, _predictor_async.AsyncPredictor
AsyncInferenceConfig, WaiterConfig = _async.AsyncInferenceConfig, _async.WaiterConfig
AsyncInferenceModelError = _exceptions.AsyncInferenceModelError
