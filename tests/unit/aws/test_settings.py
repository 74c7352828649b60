from __future__ import annotations

import pytest

from sageline.aws.settings import RunSettings, SageMakerSettings
from sageline.errors import SettingsError


def test_settings_are_read_from_variables_named_like_their_fields() -> None:
    settings = RunSettings.from_environment({"BUCKET_NAME": "b", "RUNS_TABLE_NAME": "t", "STACK_NAME": "s", "OTHER": "x"})
    assert settings == RunSettings(bucket_name="b", runs_table_name="t", stack_name="s")


def test_every_missing_or_empty_variable_is_named() -> None:
    lacking = "BUCKET_NAME, STACK_NAME, SAGEMAKER_ROLE_ARN, NETWORK_SCRIPT_ROLE_ARN"
    with pytest.raises(SettingsError, match=f"lacks {lacking}"):
        SageMakerSettings.from_environment({"RUNS_TABLE_NAME": "t", "BUCKET_NAME": ""})
