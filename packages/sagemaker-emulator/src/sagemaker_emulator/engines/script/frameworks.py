"""The framework images, and what their frameworks are called where."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass


@dataclass(frozen=True)
class Framework:
    """``module`` is what the image's ``SAGEMAKER_TRAINING_MODULE`` says, ``package`` what a script imports, ``others`` what comes
    with it and may be imported first."""

    title: str
    package: str
    module: str
    remedy: str
    others: tuple[str, ...] = ()

    @property
    def is_installed(self) -> bool:
        return importlib.util.find_spec(self.package) is not None

    @property
    def missing(self) -> str:
        """What a person is told who has not got it."""
        return f"{self.title} is not installed here: {self.remedy}"


TENSORFLOW = Framework(
    "TensorFlow",
    "tensorflow",
    "sagemaker_tensorflow_container.training:main",
    "pip install tensorflow-cpu installs it",
    ("keras",),
)
PYTORCH = Framework("PyTorch", "torch", "sagemaker_pytorch_container.training:main", "uv pip install torch installs it")
SCIKIT_LEARN = Framework(
    "scikit-learn", "sklearn", "sagemaker_sklearn_container.training:main", "uv pip install scikit-learn installs it"
)
XGBOOST = Framework("XGBoost", "xgboost", "sagemaker_xgboost_container.training:main", "uv pip install xgboost-cpu installs it")
FRAMEWORKS = (TENSORFLOW, PYTORCH, SCIKIT_LEARN, XGBOOST)


def framework_of(module: str) -> Framework | None:
    """The framework of an image by its ``SAGEMAKER_TRAINING_MODULE``."""
    return next((framework for framework in FRAMEWORKS if framework.module == module), None)


def missing_framework(text: str) -> Framework | None:
    """The framework that is not there, when ``text`` is what Python says of importing it."""
    for framework in FRAMEWORKS:
        for name in (framework.package, *framework.others):
            if f"No module named '{name}'" in text and importlib.util.find_spec(name) is None:
                return framework
    return None
