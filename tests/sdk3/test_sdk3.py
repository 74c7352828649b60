"""What a person does with SageMaker's Python SDK 3. Nothing of it is patched."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.sdk3.conftest import BUCKET, Workplace

pytest.importorskip("sagemaker.train", reason="SageMaker's Python SDK 3 has an environment of its own: make test-sdk3")

from tests.sdk3.sdk import (
    AsyncInferenceConfig,
    Compute,
    ContinuousParameter,
    FailedStatusError,
    HyperparameterTuner,
    InputData,
    IntegerParameter,
    ModelBuilder,
    ModelTrainer,
    Networking,
    OutputDataConfig,
    ServerlessInferenceConfig,
    SourceCode,
    Transformer,
    image_uris,
)

# What the SDK and its dependencies warn of in their own code.
pytestmark = pytest.mark.filterwarnings("ignore")

REGION = "us-east-1"
SCIKIT_LEARN = image_uris.retrieve("sklearn", REGION, version="1.2-1")
XGBOOST = image_uris.retrieve("xgboost", REGION, version="3.0-5")
INSTANCE = "ml.m5.xlarge"
HOUSE = "100,3"
PRICE = 3 * 100 - 2 * 3 + 1
# Trains and serves.
SCRIPT = """
import argparse, json, os
import joblib, numpy as np
from sklearn.linear_model import Ridge

def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--alpha", type=float, default=1.0)
    alpha = parser.parse_args().alpha
    table = np.loadtxt(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "train.csv"), delimiter=",")
    model = Ridge(alpha=alpha).fit(table[:, 1:], table[:, 0])
    print(f"alpha={alpha} r2={model.score(table[:, 1:], table[:, 0]):.6f};")
    joblib.dump(model, os.path.join(os.environ["SM_MODEL_DIR"], "model.joblib"))
    with open(os.path.join(os.environ["SM_OUTPUT_DATA_DIR"], "who.json"), "w") as file:
        json.dump({"credentials": "AWS_ACCESS_KEY_ID" in os.environ}, file)
"""


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A source directory."""
    directory = tmp_path_factory.mktemp("code")
    (directory / "train.py").write_text(SCRIPT)
    (directory / "requirements.txt").write_text("numpy\n")
    (directory / "fails.py").write_text("raise ValueError('too little data')\n")
    return str(directory)


def trainer(workplace: Workplace, name: str, image: str = SCIKIT_LEARN, **options: Any) -> Any:
    return ModelTrainer(
        training_image=image,
        role=workplace.role,
        sagemaker_session=workplace.session,
        base_job_name=name,
        compute=Compute(instance_type=INSTANCE, instance_count=1, volume_size_in_gb=5),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{BUCKET}/output"),
        **options,
    )


def channels(workplace: Workplace, *names: str) -> list[Any]:
    return [InputData(channel_name=name, data_source=workplace.train, content_type="text/csv") for name in names or ("train",)]


def trained(workplace: Workplace, model_trainer: Any, *names: str) -> Any:
    """The job when it has ended. The SDK's own waiting asks only every 5 seconds."""
    model_trainer.train(input_data_config=channels(workplace, *names), wait=False)
    job = model_trainer._latest_training_job  # where the SDK's own documentation takes it from
    job.wait(poll=1)
    return job


def in_service(builder: Any, name: str, **options: Any) -> Any:
    """The endpoint of a built model. The SDK's own waiting asks only every 30 seconds."""
    endpoint = builder.deploy(endpoint_name=name, wait=False, **options)
    endpoint.wait_for_status("InService", poll=1)
    return endpoint


def answer(endpoint: Any, body: str, content_type: str = "text/csv", accept: str = "text/csv") -> str:
    text: str = endpoint.invoke(body=body, content_type=content_type, accept=accept).body.read().decode()
    return text


@pytest.fixture(scope="module")
def boosted(workplace: Workplace) -> str:
    """The artifact of a model of XGBoost's own."""
    model_trainer = trainer(workplace, "boosted", XGBOOST, hyperparameters={"objective": "reg:squarederror", "num_round": 50})
    artifact: str = trained(workplace, model_trainer).model_artifacts.s3_model_artifacts
    return artifact


class TestModelTrainer:
    def test_a_script_trains_and_its_log_is_shown(
        self, workplace: Workplace, code: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
    ) -> None:
        local = tmp_path / "train.csv"
        local.write_text(workplace.read("train/train.csv"))
        source = SourceCode(source_dir=code, entry_script="train.py", requirements="requirements.txt")
        model_trainer = trainer(workplace, "script", source_code=source, hyperparameters={"alpha": 0.5})

        with caplog.at_level(logging.INFO):
            model_trainer.train(input_data_config=[InputData(channel_name="train", data_source=str(tmp_path))], logs=True)

        job = model_trainer._latest_training_job  # where the SDK's own documentation takes it from
        assert job.training_job_status == "Completed"
        assert job.algorithm_specification.container_entrypoint == ["/bin/bash"]
        assert "alpha=0.5 r2=1.0000" in caplog.text
        assert "Requirement already satisfied: numpy" in caplog.text
        assert workplace.uploaded(f"output/{job.training_job_name}") == [
            f"output/{job.training_job_name}/output/model.tar.gz",
            f"output/{job.training_job_name}/output/output.tar.gz",
        ]

    def test_a_command_of_ones_own_with_the_code_of_xgboosts_image(self, workplace: Workplace, code: str) -> None:
        source = SourceCode(source_dir=code, command="python train.py --alpha 2")

        assert trained(workplace, trainer(workplace, "command", XGBOOST, source_code=source)).training_job_status == "Completed"

    def test_a_script_that_fails_tells_its_reason(self, workplace: Workplace, code: str) -> None:
        source = SourceCode(source_dir=code, entry_script="fails.py")

        with pytest.raises(FailedStatusError, match=r"(?s)AlgorithmError: Traceback.*fails\.py.*, exit code: 1"):
            trained(workplace, trainer(workplace, "fails", source_code=source))

    def test_a_script_trains_in_network_isolation(self, workplace: Workplace, code: str) -> None:
        model_trainer = trainer(
            workplace,
            "isolated",
            source_code=SourceCode(source_dir=code, entry_script="train.py"),
            networking=Networking(enable_network_isolation=True),
        )

        job = trained(workplace, model_trainer)

        assert job.enable_network_isolation is True
        assert workplace.archived(f"output/{job.training_job_name}/output/output.tar.gz", "who.json") == {"credentials": False}

    def test_an_algorithm_of_sagemakers(self, workplace: Workplace, boosted: str) -> None:
        assert boosted.endswith("/output/model.tar.gz")


class TestHyperparameterTuner:
    def test_the_best_of_an_algorithms_jobs(self, workplace: Workplace) -> None:
        model_trainer = trainer(workplace, "tuned", XGBOOST, hyperparameters={"objective": "reg:squarederror", "num_round": 10})
        tuner = HyperparameterTuner(
            model_trainer=model_trainer,
            objective_metric_name="validation:rmse",
            objective_type="Minimize",
            max_jobs=2,
            max_parallel_jobs=2,
            hyperparameter_ranges={"max_depth": IntegerParameter(2, 6)},
        )

        tuner.tune(inputs=channels(workplace, "train", "validation"), wait=False)
        tuner.latest_tuning_job.wait(poll=1)

        trials = tuner.analytics().dataframe()
        assert list(trials["TrainingJobStatus"]) == ["Completed", "Completed"]
        assert tuner.best_training_job() == trials.loc[trials["FinalObjectiveValue"].idxmin()]["TrainingJobName"]

    def test_the_best_of_a_scripts_jobs(self, workplace: Workplace, code: str) -> None:
        model_trainer = trainer(workplace, "tuned-script", source_code=SourceCode(source_dir=code, entry_script="train.py"))
        tuner = HyperparameterTuner(
            model_trainer=model_trainer,
            objective_metric_name="r2",
            metric_definitions=[{"Name": "r2", "Regex": r"r2=([0-9.]+);"}],
            objective_type="Maximize",
            max_jobs=2,
            max_parallel_jobs=2,
            hyperparameter_ranges={"alpha": ContinuousParameter(0.1, 5)},
        )

        tuner.tune(inputs=channels(workplace), wait=False)
        tuner.latest_tuning_job.wait(poll=1)

        assert tuner.latest_tuning_job.best_training_job.training_job_name == tuner.best_training_job()


def builder(workplace: Workplace, image: str = XGBOOST, **options: Any) -> Any:
    return ModelBuilder(
        image_uri=image, role_arn=workplace.role, sagemaker_session=workplace.session, instance_type=INSTANCE, **options
    )


class TestModelBuilder:
    def test_a_models_endpoint_answers_until_it_is_deleted(self, workplace: Workplace, boosted: str) -> None:
        model_builder = builder(workplace, s3_model_data_url=boosted)
        model_builder.build()

        endpoint = in_service(model_builder, "boosted", initial_instance_count=1)

        assert float(answer(endpoint, HOUSE)) == pytest.approx(PRICE, rel=0.1)
        endpoint.delete()
        endpoint.wait_for_delete(poll=1)

    def test_a_serverless_endpoint_answers(self, workplace: Workplace, boosted: str) -> None:
        model_builder = builder(workplace, s3_model_data_url=boosted)
        model_builder.build()
        config = ServerlessInferenceConfig(memory_size_in_mb=2048, max_concurrency=2)

        endpoint = in_service(model_builder, "serverless", inference_config=config)

        assert float(answer(endpoint, HOUSE)) == pytest.approx(PRICE, rel=0.1)

    def test_an_asynchronous_endpoint_leaves_its_answer_in_s3(self, workplace: Workplace, boosted: str) -> None:
        model_builder = builder(workplace, s3_model_data_url=boosted)
        model_builder.build()
        config = AsyncInferenceConfig(output_path=f"s3://{BUCKET}/answers")
        endpoint = in_service(model_builder, "asynchronous", inference_config=config, initial_instance_count=1)
        question = workplace.session.upload_string_as_file_body(HOUSE, BUCKET, "questions/house.csv")

        given = endpoint.invoke_async(input_location=question, content_type="text/csv", accept="text/csv")

        key = given.output_location.removeprefix(f"s3://{BUCKET}/")
        boto3.client("s3").get_waiter("object_exists").wait(Bucket=BUCKET, Key=key, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        assert float(workplace.read(key)) == pytest.approx(PRICE, rel=0.1)

    def test_a_model_is_registered(self, workplace: Workplace, boosted: str) -> None:
        model_builder = builder(workplace, s3_model_data_url=boosted)
        model_builder.build()
        types = {"content_types": ["text/csv"], "response_types": ["text/csv"]}
        instances = {"inference_instances": [INSTANCE], "transform_instances": [INSTANCE]}

        arn = model_builder.register(model_package_group_name="houses", approval_status="Approved", **types, **instances)

        package = boto3.client("sagemaker").describe_model_package(ModelPackageName=arn)
        assert package["ModelApprovalStatus"] == "Approved"
        assert package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"] == boosted

    def test_a_script_serves_the_model_that_it_has_trained(self, workplace: Workplace, code: str) -> None:
        source = SourceCode(source_dir=code, entry_script="train.py")
        artifact = trained(workplace, trainer(workplace, "served", source_code=source)).model_artifacts.s3_model_artifacts
        model_builder = builder(workplace, SCIKIT_LEARN, s3_model_data_url=artifact, source_code=source)
        model_builder.build()

        endpoint = in_service(model_builder, "served", initial_instance_count=1)

        json_type = "application/json"
        (price,) = json.loads(answer(endpoint, f"[[{HOUSE}]]", json_type, json_type))
        assert price == pytest.approx(PRICE, rel=0.01)


class TestTransformer:
    def test_a_model_answers_a_file(self, workplace: Workplace, boosted: str) -> None:
        model_builder = builder(workplace, s3_model_data_url=boosted)
        model_builder.build(model_name="batch")
        transformer = Transformer(
            model_name="batch",
            instance_count=1,
            instance_type=INSTANCE,
            output_path=f"s3://{BUCKET}/scored",
            accept="text/csv",
            assemble_with="Line",
            sagemaker_session=workplace.session,
        )

        transformer.transform(workplace.train, content_type="text/csv", split_type="Line", input_filter="$[1:]", wait=False)
        transformer.latest_transform_job.wait(poll=1)

        assert len(workplace.read("scored/train.csv.out").splitlines()) == 200
