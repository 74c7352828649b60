"""Clients that were not written for Sageline, against the local stack: the SageMaker Python SDK 2, boto3, the AWS CLI.

None of them is patched. What they need is in the variables that ``sageline local env`` exports.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sageline_local.stack import LocalStack
from tests.workflow.course import LINEAR, XGBOOST, Course, variant
from tests.workflow.notebook import BUCKET, PREFIX, ROLE, Notebook, open_notebook
from tests.workflow.sdk import (
    KNN,
    AsyncInferenceConfig,
    AsyncInferenceModelError,
    AsyncPredictor,
    ContinuousParameter,
    CSVDeserializer,
    CSVSerializer,
    Estimator,
    HyperparameterTuner,
    IntegerParameter,
    JSONDeserializer,
    JSONSerializer,
    LinearLearner,
    Predictor,
    SKLearn,
    TensorFlow,
    TrainingInput,
    Transformer,
    WaiterConfig,
    image_uris,
)

pytestmark = [
    pytest.mark.stack,
    pytest.mark.full,
    # What the SDK and its dependencies warn of in their own code.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

INSTANCE = "ml.m5.xlarge"
REGRESSION = {"objective": "reg:squarederror", "max_depth": 4, "eta": 0.3, "num_round": 30}
GOOD = 0.1  # the mean error of a model that has learned; answering the mean price has one of more than 0.25


@pytest.fixture(scope="module")
def environment(stack: LocalStack) -> Iterator[dict[str, str]]:
    """This process as a shell after ``eval "$(sageline local env)"``, without the settings of whoever runs the tests."""
    variables = {
        **stack.environment(),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        for name, value in variables.items():
            patch.setenv(name, value)
        yield variables


@pytest.fixture(scope="module")
def notebook(environment: dict[str, str]) -> Notebook:
    return open_notebook()


def channels(notebook: Notebook) -> dict[str, Any]:
    return {
        "train": TrainingInput(notebook.train, content_type="csv"),
        "validation": TrainingInput(notebook.validation, content_type="csv"),
    }


def xgboost(notebook: Notebook) -> Any:
    image = image_uris.retrieve("xgboost", notebook.session.boto_region_name, version="3.0-5")
    return Estimator(
        image,
        ROLE,
        instance_count=1,
        instance_type=INSTANCE,
        output_path=f"s3://{BUCKET}/{PREFIX}/output",
        hyperparameters=REGRESSION,
        sagemaker_session=notebook.session,
    )


def deploy(estimator: Any, notebook: Notebook, **options: Any) -> Any:
    """A predictor of an endpoint in service. The SDK's own waiting asks only every 30 seconds."""
    predictor = estimator.deploy(1, "ml.m5.large", wait=False, **options)
    notebook.session.wait_for_endpoint(predictor.endpoint_name, poll=1)
    return predictor


def remove(predictor: Any) -> None:
    predictor.delete_model()
    predictor.delete_endpoint()


@pytest.fixture(scope="module")
def fitted(notebook: Notebook) -> Any:
    estimator = xgboost(notebook)
    estimator.fit(channels(notebook), wait=False)
    notebook.session.wait_for_job(estimator.latest_training_job.name, poll=1)
    return estimator


class TestTheSageMakerSdk:
    def test_fit_prints_the_jobs_log_to_its_end(self, notebook: Notebook, capsys: pytest.CaptureFixture[str]) -> None:
        estimator = xgboost(notebook)
        estimator.fit(channels(notebook), logs="All")
        printed = capsys.readouterr().out
        assert "#011validation-rmse:" in printed
        assert "[29]" in printed
        assert "Training seconds:" in printed
        assert estimator.model_data.endswith("/output/model.tar.gz")

    def test_a_deployed_estimator_predicts(self, notebook: Notebook, fitted: Any) -> None:
        predictor = deploy(fitted, notebook, serializer=CSVSerializer(), deserializer=CSVDeserializer())
        answers = [float(row[0]) for row in predictor.predict(notebook.rows)]
        assert notebook.error(answers) < GOOD
        remove(predictor)
        deleted = notebook.sagemaker.get_waiter("endpoint_deleted")
        deleted.wait(EndpointName=predictor.endpoint_name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})

    def test_a_registered_model_is_approved_and_answers_asynchronously(self, notebook: Notebook, fitted: Any) -> None:
        kinds = {"content_types": ["text/csv"], "response_types": ["text/csv"]}
        instances = {"inference_instances": ["ml.m5.large"], "transform_instances": [INSTANCE]}
        # Not the estimator's own register, which looks for the training job by Search.
        package = fitted.create_model().register(**kinds, **instances, model_package_group_name="prices")
        package.update_approval_status("Approved")
        paths = {f"{kind}_path": f"s3://{BUCKET}/{PREFIX}/{kind}" for kind in ("output", "failure")}
        config = AsyncInferenceConfig(**paths)
        package.deploy(1, "ml.m5.large", wait=False, endpoint_name="prices", async_inference_config=config)
        notebook.session.wait_for_endpoint("prices", poll=1)
        asked = AsyncPredictor(Predictor("prices", notebook.session, CSVSerializer(), CSVDeserializer()))
        # The SDK's own waiting asks only every 15 seconds.
        soon = WaiterConfig(max_attempts=10, delay=1)
        assert notebook.error([float(row[0]) for row in asked.predict(notebook.rows, waiter_config=soon)]) < GOOD
        with pytest.raises(AsyncInferenceModelError, match="Model returned error"):
            asked.predict("no,numbers", waiter_config=soon)
        asked.delete_endpoint()

    def test_a_transformer_joins_rows_and_answers_and_shows_its_log(
        self, notebook: Notebook, fitted: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        transformer = fitted.transformer(1, INSTANCE, accept="text/csv", assemble_with="Line", max_payload=1)
        transformer.transform(notebook.test, content_type="text/csv", split_type="Line", join_source="Input", wait=False)
        # Waiting for its log, the SDK asks only every 30 seconds whether the job has ended.
        notebook.session.wait_for_transform_job(transformer.latest_transform_job.name, poll=1)
        notebook.session.logs_for_transform_job(transformer.latest_transform_job.name)
        assert "MaxConcurrentTransforms=1, MaxPayloadInMB=1, BatchStrategy=MULTI_RECORD" in capsys.readouterr().out
        lines = notebook.read(f"{transformer.output_path}/test.csv.out").splitlines()
        assert [list(map(float, line.split(",")[:2])) for line in lines] == notebook.rows
        assert notebook.error([float(line.split(",")[2]) for line in lines]) < GOOD
        attached = Transformer.attach(transformer.latest_transform_job.name, sagemaker_session=notebook.session)
        assert attached.output_path == transformer.output_path

    def test_a_tuner_finds_the_best_of_its_jobs_to_attach_to(self, notebook: Notebook) -> None:
        tuner = HyperparameterTuner(
            estimator=xgboost(notebook),
            objective_metric_name="validation:rmse",
            objective_type="Minimize",
            max_jobs=4,
            max_parallel_jobs=2,
            hyperparameter_ranges={"max_depth": IntegerParameter(2, 6), "eta": ContinuousParameter(0.05, 0.5)},
        )
        tuner.fit(channels(notebook), wait=False)
        notebook.session.wait_for_tuning_job(tuner.latest_tuning_job.name, poll=1)
        trials = tuner.analytics().dataframe()
        jobs = notebook.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=tuner.latest_tuning_job.name
        )["TrainingJobSummaries"]
        assert list(trials["TrainingJobStatus"]) == ["Completed"] * 4, jobs
        best = trials.loc[trials["FinalObjectiveValue"].idxmin()]
        assert tuner.best_training_job() == best["TrainingJobName"]
        attached = Estimator.attach(tuner.best_training_job(), sagemaker_session=notebook.session)
        assert int(attached.hyperparameters()["max_depth"]) == int(best["max_depth"])
        assert attached.model_data == f"s3://{BUCKET}/{PREFIX}/output/{best['TrainingJobName']}/output/model.tar.gz"
        again = HyperparameterTuner.attach(tuner.latest_tuning_job.name, sagemaker_session=notebook.session)
        assert again.best_training_job() == tuner.best_training_job()


class TestTheSdksAlgorithms:
    def test_linear_learner_trains_and_serves_by_recordio(self, notebook: Notebook) -> None:
        estimator = LinearLearner(ROLE, 1, INSTANCE, predictor_type="regressor", epochs=20, sagemaker_session=notebook.session)
        features, prices = np.array(notebook.rows, "float32"), np.array(notebook.prices, "float32")
        estimator.fit(estimator.record_set(features, labels=prices), mini_batch_size=10, wait=False)
        notebook.session.wait_for_job(estimator.latest_training_job.name, poll=1)
        predictor = deploy(estimator, notebook)
        answers = [record.label["score"].float32_tensor.values[0] for record in predictor.predict(features)]
        assert notebook.error(answers) < GOOD
        remove(predictor)

    def test_knn_trains_and_serves_by_recordio(self, notebook: Notebook) -> None:
        kinds = np.array([row[0] > 120 for row in notebook.rows], "float32")
        features = np.array(notebook.rows, "float32")
        estimator = KNN(
            ROLE, 1, INSTANCE, k=3, sample_size=len(kinds), predictor_type="classifier", sagemaker_session=notebook.session
        )
        estimator.fit(estimator.record_set(features, labels=kinds), wait=False)
        notebook.session.wait_for_job(estimator.latest_training_job.name, poll=1)
        predictor = deploy(estimator, notebook)
        answers = [record.label["predicted_label"].float32_tensor.values[0] for record in predictor.predict(features)]
        assert np.mean(np.array(answers) == kinds) > 0.9
        remove(predictor)

    def test_blazingtext_learns_labels_of_lines(self, notebook: Notebook) -> None:
        lines = [f"__label__{kind} {word} the {word} again" for kind, word in (("cat", "purr"), ("dog", "bark"))] * 30
        data = notebook.session.upload_string_as_file_body("\n".join(lines), BUCKET, "text/train.txt")
        estimator = Estimator(
            image_uris.retrieve("blazingtext", notebook.session.boto_region_name),
            ROLE,
            instance_count=1,
            instance_type=INSTANCE,
            hyperparameters={"mode": "supervised", "epochs": 10, "min_count": 1, "learning_rate": 0.5, "vector_dim": 10},
            sagemaker_session=notebook.session,
        )
        estimator.fit({"train": TrainingInput(data, content_type="text/plain")}, wait=False)
        notebook.session.wait_for_job(estimator.latest_training_job.name, poll=1)
        predictor = deploy(estimator, notebook, serializer=JSONSerializer(), deserializer=JSONDeserializer())
        cat, dog = predictor.predict({"instances": ["purr again", "the bark"], "configuration": {"k": 1}})
        assert cat["label"] == ["__label__cat"]
        assert dog["label"] == ["__label__dog"]
        remove(predictor)


SKLEARN_SCRIPT = """
import argparse, os
import joblib, numpy as np
from sklearn.linear_model import Ridge

def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--alpha", type=float)
    parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
    arguments = parser.parse_args()
    table = np.loadtxt(os.path.join(arguments.train, "train.csv"), delimiter=",")
    model = Ridge(alpha=arguments.alpha).fit(table[:, 1:], table[:, 0])
    print(f"r2={model.score(table[:, 1:], table[:, 0]):.4f};")
    joblib.dump(model, os.path.join(os.environ["SM_MODEL_DIR"], "model.joblib"))
"""

KERAS_SCRIPT = """
import argparse, os
import numpy as np
import tensorflow as tf

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int)
parser.add_argument("--model_dir")
arguments, _ = parser.parse_known_args()
table = np.loadtxt(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "train.csv"), delimiter=",", dtype="float32")
layers = [tf.keras.layers.Normalization(), tf.keras.layers.Dense(1)]
layers[0].adapt(table[:, 1:])
model = tf.keras.Sequential([tf.keras.Input((2,)), *layers])
model.compile(tf.keras.optimizers.SGD(0.1), "mse")
model.fit(table[:, 1:], table[:, 0], epochs=arguments.epochs, verbose=2)
model.export(os.path.join(os.environ["SM_MODEL_DIR"], "1"))
"""


def script(directory: Path, text: str) -> str:
    """A source directory with one entry point."""
    directory.mkdir(exist_ok=True)
    (directory / "train.py").write_text(text)
    return str(directory)


class TestTheSdksScripts:
    def test_a_scikit_learn_script_is_uploaded_trained_and_served(
        self, notebook: Notebook, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        estimator = SKLearn(
            entry_point="train.py",
            source_dir=script(tmp_path / "code", SKLEARN_SCRIPT),
            framework_version="1.2-1",
            role=ROLE,
            instance_type=INSTANCE,
            hyperparameters={"alpha": 0.5},
            metric_definitions=[{"Name": "train:r2", "Regex": "r2=([0-9.]+);"}],
            sagemaker_session=notebook.session,
        )
        estimator.fit({"train": notebook.train}, wait=False)
        notebook.session.logs_for_job(estimator.latest_training_job.name, wait=True, poll=1)
        assert "Invoking user script" in capsys.readouterr().out
        job = notebook.sagemaker.describe_training_job(TrainingJobName=estimator.latest_training_job.name)
        (metric,) = job["FinalMetricDataList"]
        assert metric["MetricName"] == "train:r2"
        assert metric["Value"] > 0.95
        predictor = deploy(estimator, notebook)
        assert notebook.error(list(predictor.predict(np.array(notebook.rows)))) < GOOD
        remove(predictor)

    @pytest.mark.tensorflow
    def test_a_tensorflow_script_is_served_by_tensorflow_serving(self, notebook: Notebook, tmp_path: Path) -> None:
        pytest.importorskip("tensorflow", reason="TensorFlow is an extra: make setup-tensorflow")
        estimator = TensorFlow(
            entry_point="train.py",
            source_dir=script(tmp_path / "code", KERAS_SCRIPT),
            framework_version="2.19.0",
            py_version="py312",
            role=ROLE,
            instance_count=1,
            instance_type=INSTANCE,
            hyperparameters={"epochs": 30},
            sagemaker_session=notebook.session,
        )
        estimator.fit({"train": notebook.train}, wait=False)
        notebook.session.wait_for_job(estimator.latest_training_job.name, poll=1)
        predictor = deploy(estimator, notebook)
        answers = predictor.predict({"instances": notebook.rows})["predictions"]
        assert notebook.error([row[0] for row in answers]) < GOOD
        remove(predictor)


def images(notebook: Notebook) -> tuple[str, str]:
    region = notebook.session.boto_region_name
    return image_uris.retrieve("xgboost", region, version="3.0-5"), image_uris.retrieve("linear-learner", region)


class TestLowLevelCalls:
    def test_the_calls_of_the_course_in_their_order(self, notebook: Notebook, capsys: pytest.CaptureFixture[str]) -> None:
        course = Course(notebook)
        xgboost_image, linear_image = images(notebook)

        job = course.train("xgboost", xgboost_image, XGBOOST)
        assert "#011validation-rmse:" in capsys.readouterr().out
        model = course.model(job, xgboost_image)
        assert notebook.error(course.transform(model)) < GOOD

        endpoint = course.endpoint("xgboost", course.config("xgboost", variant("AllTraffic", model)))
        name, answers = course.invoke(endpoint)
        assert name == "AllTraffic"
        assert notebook.error(answers) < GOOD
        course.client.delete_endpoint(EndpointName=endpoint)

        best = course.model(course.tune(xgboost_image), xgboost_image)
        linear = course.model(course.train("linear", linear_image, LINEAR), linear_image)
        both = course.config("combined", variant("Linear-Model", linear), variant("XGB-Model", best))
        endpoint = course.endpoint("update", both)
        seen = dict(course.invoke(endpoint) for _ in range(20))
        assert set(seen) == {"Linear-Model", "XGB-Model"}
        assert all(notebook.error(answers) < GOOD for answers in seen.values())

        only = course.config("linear", variant("Linear-Model", linear))
        course.client.update_endpoint(EndpointName=endpoint, EndpointConfigName=only)
        course.session.wait_for_endpoint(endpoint, poll=1)
        described = course.client.describe_endpoint(EndpointName=endpoint)
        assert described["EndpointConfigName"] == only
        assert [found["VariantName"] for found in described["ProductionVariants"]] == ["Linear-Model"]
        assert {course.invoke(endpoint)[0] for _ in range(5)} == {"Linear-Model"}

        course.client.delete_endpoint(EndpointName=endpoint)
        for config in (both, only):
            course.client.delete_endpoint_config(EndpointConfigName=config)
        for made in (model, best, linear):
            course.client.delete_model(ModelName=made)


class TestTheAwsCli:
    @staticmethod
    def aws(environment: dict[str, str], *arguments: str) -> Any:
        command = [str(Path(sys.executable).with_name("aws")), *arguments, "--output", "json"]
        done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def test_it_lists_and_describes_jobs(self, environment: dict[str, str], notebook: Notebook, fitted: Any) -> None:
        name = fitted.latest_training_job.name
        listed = self.aws(environment, "sagemaker", "list-training-jobs", "--name-contains", name)
        assert [job["TrainingJobStatus"] for job in listed["TrainingJobSummaries"]] == ["Completed"]
        job = self.aws(environment, "sagemaker", "describe-training-job", "--training-job-name", name)
        assert job["ModelArtifacts"]["S3ModelArtifacts"] == fitted.model_data
        for kind in ("transform-jobs", "hyper-parameter-tuning-jobs"):
            assert self.aws(environment, "sagemaker", f"list-{kind}")
        groups = self.aws(environment, "logs", "describe-log-groups", "--log-group-name-prefix", "/aws/sagemaker/")
        assert {group["logGroupName"] for group in groups["logGroups"]} >= {"/aws/sagemaker/TrainingJobs"}
