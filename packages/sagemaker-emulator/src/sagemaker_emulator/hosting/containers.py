"""What a model's document says of its container."""

from __future__ import annotations

from sagemaker_emulator.store import Document

MODEL_KIND = "model"


def container_of(model: Document) -> Document:
    """The one container of a model."""
    container: Document = model.get("PrimaryContainer") or model["Containers"][0]
    return container


def is_isolated(model: Document) -> bool:
    """EnableNetworkIsolation."""
    return bool(model["EnableNetworkIsolation"])
