"""What people are told to try, for what SageMaker and its containers really say."""

from __future__ import annotations

import time

import pytest

from sageline.failures.advice import advice

FAILED = "TrainingJobFailed"


@pytest.mark.parametrize(
    ("error", "message", "words"),
    [
        (FAILED, "ClientError: 'k' is a required property", "needs the hyperparameter that the message names"),
        (FAILED, "UserError: Missing required hyperparameter: num_round, exit code: 1", "needs the hyperparameter"),
        (FAILED, "UserError: Extraneous hyperparameter found: etta", "knows no hyperparameter of that name"),
        (FAILED, "Additional properties are not allowed (u'mini_batch_siz' was unexpected)", "knows no hyperparameter"),
        (FAILED, "UserError: Hyperparameter eta: 3.0 is not in [0, 1], exit code: 1", "out of its range"),
        (
            "InvalidRequest",
            "`input` is s3://b/rows.csv; put the file into the stack's bucket, below s3://b/batch/, which starts no run.",
            "Put the rows where the message says",
        ),
        (FAILED, "u'abc' is not valid under any of the given schemas", "out of its range"),
        (FAILED, "0 is less than the minimum of 1", "out of its range"),
        (
            FAILED,
            'AlgorithmError: ExecuteUserScriptError:\nExitCode 3\nErrorMessage ""\nCommand "python3 train.py", exit code: 3',
            "The script itself failed",
        ),
        ("TransformJobFailed", "The script failed: KeyError: 'SM_CHANNEL_TRAIN'", 'if __name__ == "__main__"'),
        (FAILED, "ExecuteUserScriptError: ModuleNotFoundError: No module named 'lightgbm'", "into the script's folder"),
        (
            FAILED,
            "ExecuteUserScriptError: URLError: <urlopen error [Errno 101] Network is unreachable>",
            "no network",
        ),
        (FAILED, "ExecuteUserScriptError: botocore.exceptions.NoCredentialsError: Unable to locate credentials", "no network"),
        (FAILED, "ExecuteUserScriptError: train.py: error: unrecognized arguments: --depth 3", "declare it in the script"),
        (
            FAILED,
            'ClientError: Data download failed:No S3 objects found under S3 URL "s3://b/t/" given in input data source.',
            "is not there. If somebody or something has deleted it",
        ),
        (
            "TrainingJobStopped",
            "Training job x was stopped before it was done, by a request to SageMaker.",
            "StopTrainingJob) says who",
        ),
        (FAILED, "UserError: No data in validation channel path /opt/ml/input/data/validation", "has no data"),
        (FAILED, "Channel configuration for 'train' channel is not supported: {...}", "refuses the content type"),
        ("SmokeTestFailed", 'PredictionFailed: Received client error (415) from primary with message "..."', "content type"),
        (FAILED, "AlgorithmError: framework error: \nUserError: label must be in [0,1], exit code: 1", "last log lines"),
        ("TrainingJobStopped", "was stopped after its maximum runtime of 60 s", "Raise `algorithm.max_runtime_seconds`"),
        ("TrainingJobStopped", "was stopped: no spot capacity for it within 4200 s.", "`algorithm.spot` to false"),
        ("ModelMissing", "The training job is done and has left no model: there is no s3://b/model.tar.gz.", "SM_MODEL_DIR"),
        ("TuningJobFailed", "none of its training jobs has reported validation:rmse.", "let the script print the metric"),
        ("TuningJobFailed", "No training job succeeded after 5 attempts.", "training job that the message names"),
        ("SettingsError", "No image of xgboost is known for region 'mx-central-1'; deploy", "in a region that the message names"),
        ("InvalidSpec", "`algorithm.spot`: knn keeps no checkpoints", "Correct the spec"),
        ("InvalidHyperparameter", "`algorithm.hyperparameters`: Hyperparameter eta: 7.0 is not in [0, 1].", "gets a default"),
        (FAILED, "No module named 'keras' ... TensorFlow is not installed here: pip install ...", "make setup-tensorflow"),
    ],
)
def test_the_advice_fits_what_went_wrong(error: str, message: str, words: str) -> None:
    assert words in advice(error, message)


def test_a_long_message_takes_no_time() -> None:
    begun = time.process_time()
    advice(FAILED, "Hyperparameter a: " * 5000)
    assert time.process_time() - begun < 1
