"""The patterns of the service's model, read as Java reads them."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import signature
from unittest.mock import Mock

import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape

from sagemaker_emulator.operations import operations
from sagemaker_emulator.patterns import matcher
from sagemaker_emulator.protocol import runtime_model, service_model


def shapes(shape: Shape | None, seen: set[str]) -> Iterator[Shape]:
    """A shape and all that it consists of."""
    if shape is None or shape.name in seen:
        return
    seen.add(shape.name)
    yield shape
    if isinstance(shape, StructureShape):
        parts: list[Shape] = list(shape.members.values())
    elif isinstance(shape, MapShape):
        parts = [shape.key, shape.value]
    else:
        parts = [shape.member] if isinstance(shape, ListShape) else []
    for part in parts:
        yield from shapes(part, seen)


def patterns() -> dict[str, str]:
    """Of everything that an operation of the service is asked for: the shape's name by the pattern."""
    known = operations(*[Mock() for _ in signature(operations).parameters])
    models = [service_model().operation_model(name) for name in known]
    models += [runtime_model().operation_model(name) for name in ("InvokeEndpoint", "InvokeEndpointAsync")]
    seen: set[str] = set()
    found = [shape for model in models for shape in shapes(model.input_shape, seen)]
    return {shape.metadata["pattern"]: shape.name for shape in found if "pattern" in shape.metadata}


PATTERNS = patterns()
# Those that almost any text fits.
ANYTHING = {".*", ".+", r"[\S\s]*", r"[\s\S]+"}
ODD = ("\x00", "\n", "é", " ", "<", "a\nb", "", "-", "//", "🙂")


def test_there_are_patterns() -> None:
    assert len(PATTERNS) > 30


@pytest.mark.parametrize("pattern", PATTERNS, ids=PATTERNS.values())
def test_every_pattern_constrains(pattern: str) -> None:
    accepted = [text for text in ODD if matcher(pattern)(text)]

    assert pattern in ANYTHING or len(accepted) < len(ODD)


SAMPLES = {
    "TargetModelHeader": (["model.tar.gz", "a b", "~"], ["", " a", "aé", "a\tb", "a\n"]),
    "CustomAttributesHeader": (["", "a=1;b", "\x00\x7f\n"], ["é", "a🙂"]),
    "TagKey": (["a", "a b", "été_1", "名前", "a.b:c/d=e+f-g@h", "", "1²Ⅳ"], ["<", "a#b", "a\tb", "a\u0301", "🙂"]),
    "TrainingRepositoryCredentialsProviderArn": (
        ["arn:aws-cn:lambda:eu-west-1:123456789012:function:f"],
        ["arn:aws:lambda:é:123456789012:function:f", "arn::lambda:eu:123456789012:function:f"],
    ),
    "EndpointName": (["a", "a-b", "A--1"], ["", "-a", "a-", "a_b", "a.b", "a\n", "é"]),
    "RoleArn": (
        ["arn:aws:iam::123456789012:role/service-role/x"],
        ["arn:aws:iam::1234:role/x", f"arn:aws:iam::{chr(0xFF11) * 12}:role/x"],
    ),
    "ModelPackageSourceUri": (["s3://bucket-1/key", "été", ""], ["a\nb", "a=b"]),
    "ContainerImage": (["registry/image:1", "é", "a\u00a0b"], ["", "a b", "a\nb"]),
    "HyperParameterTrainingJobEnvironmentKey": (["_A1"], ["1A", "A-B", "é"]),
    "Url": (["s3://b", "s3://b/k e y", "https://b/"], ["s3://", "s3:///k", "http://b/k", "s3://b/k\n"]),
}


@pytest.mark.parametrize(("name", "accepted", "refused"), [(name, *samples) for name, samples in SAMPLES.items()])
def test_samples_fit_as_in_java(name: str, accepted: list[str], refused: list[str]) -> None:
    model = runtime_model() if name.endswith("Header") else service_model()
    fits = matcher(model.shape_for(name).metadata["pattern"])

    assert {text: fits(text) for text in accepted + refused} == {
        **dict.fromkeys(accepted, True),
        **dict.fromkeys(refused, False),
    }


def test_a_class_stands_for_itself_and_in_brackets() -> None:
    assert matcher(r"\p{Print}+\z")("a b~")
    assert matcher(r"[\p{Print}\t]+")("a\tb")
    assert not matcher(r"\p{Print}")("\t")
    assert matcher(r"\[\p{Alnum}]")("[a]")
