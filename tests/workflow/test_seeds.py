"""The notebooks of ``examples/seeds``, run from their first call to their last against the local stack.

Each checks what comes of its calls, and ends with an error where something is not as it should be.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sageline_local.stack import LocalStack

SEEDS = Path(__file__).parents[2] / "examples" / "seeds"
ROOT = SEEDS.parents[1]
pytestmark = [pytest.mark.stack, pytest.mark.full]


def run(stack: LocalStack, name: str, *arguments: str) -> str:
    """What a notebook prints, in a shell after ``eval "$(sageline local env)"``."""
    settings = {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAGEMAKER_SUPPRESS_V2_WARNING": "1",
    }
    machine = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.workflow.impatient", str(SEEDS / f"{name}.py"), *arguments],
        cwd=ROOT,
        env={**machine, **settings, **stack.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def test_house_prices_by_xgboost_of_2018(stack: LocalStack) -> None:
    printed = run(stack, "house_prices_xgboost", "--trials", "3")

    assert "The image is 811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost:1" in printed
    assert "of this machine runs here: the image xgboost:1 asks for 0.72" in printed
    assert "The tuning's jobs: {'Completed': 3," in printed


def test_signs_by_knn_on_whole_numbers(stack: LocalStack) -> None:
    printed = run(stack, "sign_pixels_knn")

    assert 'b\'{"predictions": [{"predicted_label": ' in printed


def test_tweets_by_blazingtext(stack: LocalStack) -> None:
    printed = run(stack, "tweets_blazingtext")

    assert "Using SageMaker BlazingText container: 811284229777.dkr.ecr.us-east-1.amazonaws.com/blazingtext:1" in printed


@pytest.mark.tensorflow
def test_digits_by_a_tensorflow_script_with_parameter_servers(stack: LocalStack) -> None:
    printed = run(stack, "digits_tensorflow")

    assert "sagemaker_parameter_server_enabled" in printed
    assert "--model_dir s3://sagemaker-us-east-1-000000000000/tensorflow-training-" in printed


@pytest.mark.tensorflow
def test_tags_of_posts_by_two_networks(stack: LocalStack) -> None:
    printed = run(stack, "tag_posts_tensorflow")

    assert "of 30 held-out posts have the right tag" in printed
    assert "accuracy of the own network on 63 held-out posts" in printed
