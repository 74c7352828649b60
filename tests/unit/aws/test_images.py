from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest

from sageline.aws.images import serving_image, training_image
from sageline.errors import SettingsError


class Row(NamedTuple):
    """An image of ours, and where the SDK keeps its accounts: file, scope, version (the SDK knows XGBoost up to 3.0-5)."""

    algorithm: str
    framework: str | None
    table: str
    scope: str
    version: str
    image: str


ROWS = [
    Row("xgboost", None, "xgboost", "training", "3.0-5", "sagemaker-xgboost:3.2-0"),
    Row("xgboost", None, "xgboost", "inference", "3.0-5", "sagemaker-xgboost:3.2-0"),
    Row("linear-learner", None, "linear-learner", "training", "1", "linear-learner:1"),
    Row("linear-learner", None, "linear-learner", "inference", "1", "linear-learner:1"),
    Row("knn", None, "knn", "training", "1", "knn:1"),
    Row("knn", None, "knn", "inference", "1", "knn:1"),
    Row("blazingtext", None, "blazingtext", "training", "1", "blazingtext:1"),
    Row("blazingtext", None, "blazingtext", "inference", "1", "blazingtext:1"),
    Row("tensorflow", None, "tensorflow", "training", "2.19.0", "tensorflow-training:2.19.0-cpu-py312"),
    Row("tensorflow", None, "tensorflow", "inference", "2.19.0", "tensorflow-inference:2.19.0-cpu"),
    Row("script", "tensorflow", "tensorflow", "training", "2.19.0", "tensorflow-training:2.19.0-cpu-py312"),
    Row("script", "scikit-learn", "sklearn", "training", "1.4-2", "sagemaker-scikit-learn:1.4-2-cpu-py3"),
    # The SDK lists no serving image of 1.4-2; it is one image for both, in the accounts of the version before.
    Row("script", "scikit-learn", "sklearn", "inference", "1.2-1", "sagemaker-scikit-learn:1.4-2-cpu-py3"),
    Row("script", "pytorch", "pytorch", "training", "2.6.0", "pytorch-training:2.6.0-cpu-py312"),
    Row("script", "pytorch", "pytorch", "inference", "2.6.0", "pytorch-inference:2.6.0-cpu-py312"),
]


def sdk_entry(row: Row) -> dict[str, Any]:  # Any: JSON
    package = find_spec("sagemaker")  # found, not imported: that takes seconds
    assert package is not None
    assert package.origin is not None
    document = json.loads((Path(package.origin).parent / "image_uri_config" / f"{row.table}.json").read_text())
    entry: dict[str, Any] = document.get(row.scope, document)["versions"][row.version]
    return entry


@cache
def open_regions() -> set[str]:
    """Every commercial, China and GovCloud region in which botocore knows SageMaker."""
    session = boto3.Session()
    return {
        region
        for partition in ("aws", "aws-cn", "aws-us-gov")
        for region in session.get_available_regions("sagemaker", partition)
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.table}-{row.framework}-{row.scope}")
def test_every_regions_image_is_the_one_in_the_sdks_table(row: Row) -> None:
    left_out = ("cn-", "us-iso", "eu-iso")
    accounts = {region: account for region, account in sdk_entry(row)["registries"].items() if not region.startswith(left_out)}
    image_of = training_image if row.scope == "training" else serving_image

    for region, account in accounts.items():
        assert image_of(row.algorithm, row.framework, region) == f"{account}.dkr.ecr.{region}.amazonaws.com/{row.image}"
    assert row.image.partition(":")[0] == sdk_entry(row)["repository"]
    for region in open_regions() - accounts.keys():
        with pytest.raises(SettingsError, match=f"region '{region}'"):
            image_of(row.algorithm, row.framework, region)


@pytest.mark.parametrize("row", [row for row in ROWS if row.version in row.image], ids=lambda row: f"{row.table}-{row.scope}")
def test_the_tag_is_one_that_the_sdk_makes_for_the_version(row: Row) -> None:
    entry = sdk_entry(row)
    suffixes = {"", "-cpu", *(f"-cpu-{python}" for python in entry.get("py_versions", []))}

    assert row.image.partition(":")[2].removeprefix(row.version) in suffixes


def test_a_region_without_a_registry_is_named_with_those_that_have_one() -> None:
    with pytest.raises(SettingsError, match=r"No image of xgboost .*'mars-north-1'.*us-east-1"):
        training_image("xgboost", None, "mars-north-1")


def test_a_script_without_a_framework_has_no_image() -> None:
    with pytest.raises(SettingsError, match="'script' with the framework None"):
        training_image("script", None, "us-east-1")


def test_a_region_that_has_other_images_is_told_which() -> None:
    with pytest.raises(SettingsError, match=r"No image of xgboost .*'mx-central-1'; those of pytorch, tensorflow are; deploy"):
        training_image("xgboost", None, "mx-central-1")


@pytest.mark.parametrize("region", ["cn-north-1", "cn-northwest-1"])
def test_china_is_left_out(region: str) -> None:
    with pytest.raises(SettingsError, match=region):
        training_image("tensorflow", "tensorflow", region)
