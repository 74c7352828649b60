"""The container of ``tensorflow-inference``: SageMaker's front in ``requests``, TensorFlow Serving's REST API in ``rest``."""
