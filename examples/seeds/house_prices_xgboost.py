"""XGBoost 0.72 (`xgboost:1`) on prices of houses, first by the SDK's estimators, then by the low-level calls.

Trains, transforms, deploys, asks, tunes; then a linear and an XGBoost model behind one endpoint, and an update of it.
"""

import argparse
import json
import os
import tempfile
from time import gmtime, strftime

import boto3
import numpy as np
import pandas as pd
import sagemaker
from role import get_execution_role
from sagemaker.amazon.amazon_estimator import get_image_uri
from sagemaker.serializers import CSVSerializer
from sagemaker.session import s3_input
from sagemaker.tuner import ContinuousParameter, HyperparameterTuner, IntegerParameter

parser = argparse.ArgumentParser()
parser.add_argument("--trials", type=int, default=20, help="training jobs of each of the two tuning jobs")
TRIALS = parser.parse_args().trials

session = sagemaker.Session()
role = get_execution_role()
prefix = "house-prices-xgboost"

# The data: 506 houses of 13 columns, as the course's has, with prices that follow from some of them.
chance = np.random.default_rng(0)
X = pd.DataFrame(chance.normal(size=(506, 13)))
Y = pd.DataFrame(22.5 + 6 * X[5] - 5 * X[12] + 3 * np.sin(3 * X[0]) + chance.normal(size=506))
X_train, X_val, X_test = X[:250], X[250:350], X[350:]
Y_train, Y_val, Y_test = Y[:250], Y[250:350], Y[350:]

data_dir = tempfile.mkdtemp()
X_test.to_csv(os.path.join(data_dir, "test.csv"), header=False, index=False)
pd.concat([Y_val, X_val], axis=1).to_csv(os.path.join(data_dir, "validation.csv"), header=False, index=False)
pd.concat([Y_train, X_train], axis=1).to_csv(os.path.join(data_dir, "train.csv"), header=False, index=False)
test_location = session.upload_data(os.path.join(data_dir, "test.csv"), key_prefix=prefix)
val_location = session.upload_data(os.path.join(data_dir, "validation.csv"), key_prefix=prefix)
train_location = session.upload_data(os.path.join(data_dir, "train.csv"), key_prefix=prefix)


def check(what, predictions):
    """The error must be less than half of what the mean price would make."""
    truth = Y_test.values.ravel()
    assert len(predictions) == len(truth), f"{what}: {len(predictions)} answers to {len(truth)} rows"
    error, mean_error = (np.sqrt(np.mean((truth - guess) ** 2)) for guess in (predictions, Y_train.values.mean()))
    print(f"{what}: rmse {error:.2f}, of the mean price {mean_error:.2f}")
    assert error < mean_error / 2, what


# Train, by the SDK.
container = get_image_uri(session.boto_region_name, "xgboost")
print("The image is", container)
xgb = sagemaker.estimator.Estimator(
    container,
    role,
    train_instance_count=1,
    train_instance_type="ml.m4.xlarge",
    output_path=f"s3://{session.default_bucket()}/{prefix}/output",
    sagemaker_session=session,
)
xgb.set_hyperparameters(
    max_depth=5,
    eta=0.2,
    gamma=4,
    min_child_weight=6,
    subsample=0.8,
    objective="reg:linear",
    early_stopping_rounds=10,
    num_round=200,
)
s3_input_train = s3_input(s3_data=train_location, content_type="csv")
s3_input_validation = s3_input(s3_data=val_location, content_type="csv")
xgb.fit({"train": s3_input_train, "validation": s3_input_validation})

# Test by a batch transform.
xgb_transformer = xgb.transformer(instance_count=1, instance_type="ml.m4.xlarge")
xgb_transformer.transform(test_location, content_type="text/csv", split_type="Line")
xgb_transformer.wait()
answers = sagemaker.s3.S3Downloader.read_file(f"{xgb_transformer.output_path}/test.csv.out")
check("transform", pd.read_csv(pd.io.common.StringIO(answers), header=None).values.ravel())

# Deploy and ask.
xgb_predictor = xgb.deploy(initial_instance_count=1, instance_type="ml.m4.xlarge")
xgb_predictor.content_type = "text/csv"
xgb_predictor.serializer = CSVSerializer()
Y_pred = xgb_predictor.predict(X_test.values).decode("utf-8")
check("endpoint", np.fromstring(Y_pred, sep=","))
xgb_predictor.delete_endpoint()

# Tune.
xgb_hyperparameter_tuner = HyperparameterTuner(
    estimator=xgb,
    objective_metric_name="validation:rmse",
    objective_type="Minimize",
    max_jobs=TRIALS,
    max_parallel_jobs=3,
    hyperparameter_ranges={
        "max_depth": IntegerParameter(3, 12),
        "eta": ContinuousParameter(0.05, 0.5),
        "min_child_weight": IntegerParameter(2, 8),
        "subsample": ContinuousParameter(0.5, 0.9),
        "gamma": ContinuousParameter(0, 10),
    },
)
xgb_hyperparameter_tuner.fit({"train": s3_input_train, "validation": s3_input_validation})
xgb_hyperparameter_tuner.wait()
xgb_attached = sagemaker.estimator.Estimator.attach(xgb_hyperparameter_tuner.best_training_job())
print("The best of the tuning is", xgb_attached.latest_training_job.name, xgb_attached.hyperparameters())

# The same by the low-level calls.
sm_client = session.sagemaker_client


def stamped(name):
    return name + strftime("%Y-%m-%d-%H-%M-%S", gmtime())


def channel(name, location):
    source = {"S3DataType": "S3Prefix", "S3Uri": location, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, "ContentType": "csv", "CompressionType": "None"}


training_params = {
    "RoleArn": role,
    "AlgorithmSpecification": {"TrainingImage": container, "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": f"s3://{session.default_bucket()}/{prefix}/output"},
    "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m4.xlarge", "VolumeSizeInGB": 5},
    "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
    "InputDataConfig": [channel("train", train_location), channel("validation", val_location)],
}
static = {"gamma": "4", "subsample": "0.8", "objective": "reg:linear", "early_stopping_rounds": "10", "num_round": "200"}


def train(name, **changes):
    """A training job to its end, with its log; its name."""
    training_job_name = stamped(name)
    sm_client.create_training_job(TrainingJobName=training_job_name, **{**training_params, **changes})
    session.logs_for_job(training_job_name, wait=True)
    return training_job_name


def make_model(training_job_name, image):
    training_job_info = sm_client.describe_training_job(TrainingJobName=training_job_name)
    model_artifacts = training_job_info["ModelArtifacts"]["S3ModelArtifacts"]
    model_name = training_job_name[:57] + "-model"
    primary_container = {"Image": image, "ModelDataUrl": model_artifacts}
    sm_client.create_model(ModelName=model_name, ExecutionRoleArn=role, PrimaryContainer=primary_container)
    return model_name


hyperparameters = {**static, "max_depth": "5", "eta": "0.2", "min_child_weight": "6"}
xgb_model_name = make_model(train("boston-xgboost-", HyperParameters=hyperparameters), container)

transform_job_name = stamped("boston-xgboost-batch-transform-")
transform_request = {
    "TransformJobName": transform_job_name,
    "ModelName": xgb_model_name,
    "MaxConcurrentTransforms": 1,
    "MaxPayloadInMB": 6,
    "BatchStrategy": "MultiRecord",
    "TransformOutput": {"S3OutputPath": f"s3://{session.default_bucket()}/{prefix}/batch-bransform/"},
    "TransformInput": {
        "ContentType": "text/csv",
        "SplitType": "Line",
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": test_location}},
    },
    "TransformResources": {"InstanceType": "ml.m4.xlarge", "InstanceCount": 1},
}
sm_client.create_transform_job(**transform_request)
session.wait_for_transform_job(transform_job_name)
key = f"{prefix}/batch-bransform/test.csv.out"
answers = boto3.client("s3").get_object(Bucket=session.default_bucket(), Key=key)["Body"].read().decode()
check("low-level transform", np.array(answers.split(), dtype=float))


def variant(name, model_name):
    return {
        "InstanceType": "ml.m4.xlarge",
        "InitialVariantWeight": 1,
        "InitialInstanceCount": 1,
        "ModelName": model_name,
        "VariantName": name,
    }


payload = "\n".join(",".join(str(entry) for entry in row) for row in X_test.values)


def ask(endpoint_name):
    """The variant that has answered, and its predictions."""
    response = session.sagemaker_runtime_client.invoke_endpoint(EndpointName=endpoint_name, ContentType="text/csv", Body=payload)
    result = response["Body"].read().decode("utf-8")
    if response["InvokedProductionVariant"] == "Linear-Model":
        return "Linear-Model", np.array([row["score"] for row in json.loads(result)["predictions"]])
    return response["InvokedProductionVariant"], np.fromstring(result, sep=",")


endpoint_config_name = stamped("boston-xgboost-endpoint-config-")
sm_client.create_endpoint_config(
    EndpointConfigName=endpoint_config_name, ProductionVariants=[variant("AllTraffic", xgb_model_name)]
)
endpoint_name = stamped("boston-xgboost-endpoint-")
sm_client.create_endpoint(EndpointName=endpoint_name, EndpointConfigName=endpoint_config_name)
session.wait_for_endpoint(endpoint_name)
check("low-level endpoint", ask(endpoint_name)[1])
sm_client.delete_endpoint(EndpointName=endpoint_name)

# Tune, and take the best.
tuning_job_config = {
    "ParameterRanges": {
        "CategoricalParameterRanges": [],
        "ContinuousParameterRanges": [{"MaxValue": "0.5", "MinValue": "0.05", "Name": "eta"}],
        "IntegerParameterRanges": [
            {"MaxValue": "12", "MinValue": "3", "Name": "max_depth"},
            {"MaxValue": "8", "MinValue": "2", "Name": "min_child_weight"},
        ],
    },
    "ResourceLimits": {"MaxNumberOfTrainingJobs": TRIALS, "MaxParallelTrainingJobs": 3},
    "Strategy": "Bayesian",
    "HyperParameterTuningJobObjective": {"MetricName": "validation:rmse", "Type": "Minimize"},
}
tuning_job_name = stamped("tuning-job")
sm_client.create_hyper_parameter_tuning_job(
    HyperParameterTuningJobName=tuning_job_name,
    HyperParameterTuningJobConfig=tuning_job_config,
    TrainingJobDefinition={**training_params, "StaticHyperParameters": static},
)
session.wait_for_tuning_job(tuning_job_name)
tuning_job_info = sm_client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuning_job_name)
counters = tuning_job_info["TrainingJobStatusCounters"]
print("The tuning's jobs:", counters)
assert counters["Completed"] == TRIALS
best_model_name = make_model(tuning_job_info["BestTrainingJob"]["TrainingJobName"], container)

# Two models behind one endpoint, then one of them alone.
linear_container = get_image_uri(session.boto_region_name, "linear-learner")
linear_hyperparameters = {"predictor_type": "regressor", "mini_batch_size": "50", "epochs": "30"}
text_csv = [{**channel(*pair), "ContentType": "text/csv"} for pair in (("train", train_location), ("validation", val_location))]
linear_model_name = make_model(
    train(
        "boston-linear-",
        HyperParameters=linear_hyperparameters,
        AlgorithmSpecification={"TrainingImage": linear_container, "TrainingInputMode": "File"},
        InputDataConfig=text_csv,
    ),
    linear_container,
)
combined_endpoint_config_name = stamped("boston-combined-endpoint-config-")
sm_client.create_endpoint_config(
    EndpointConfigName=combined_endpoint_config_name,
    ProductionVariants=[variant("Linear-Model", linear_model_name), variant("XGB-Model", best_model_name)],
)
endpoint_name = stamped("boston-update-endpoint-")
sm_client.create_endpoint(EndpointName=endpoint_name, EndpointConfigName=combined_endpoint_config_name)
session.wait_for_endpoint(endpoint_name)
seen = dict(ask(endpoint_name) for _ in range(20))
for name, predictions in sorted(seen.items()):
    check(name, predictions)
assert set(seen) == {"Linear-Model", "XGB-Model"}

linear_endpoint_config_name = stamped("boston-linear-endpoint-config-")
sm_client.create_endpoint_config(
    EndpointConfigName=linear_endpoint_config_name, ProductionVariants=[variant("Linear-Model", linear_model_name)]
)
sm_client.update_endpoint(EndpointName=endpoint_name, EndpointConfigName=linear_endpoint_config_name)
session.wait_for_endpoint(endpoint_name)
print(sm_client.describe_endpoint(EndpointName=endpoint_name)["EndpointConfigName"])
assert {ask(endpoint_name)[0] for _ in range(5)} == {"Linear-Model"}
sm_client.delete_endpoint(EndpointName=endpoint_name)
