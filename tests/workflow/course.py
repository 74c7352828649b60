"""The calls of a well-known course about SageMaker, by boto3: its requests as they are in its notes, with today's names."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import boto3

from tests.workflow.notebook import BUCKET, PREFIX, Notebook

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import ChannelTypeDef, ContainerDefinitionTypeDef, ProductionVariantTypeDef

XGBOOST = {
    "max_depth": "5",
    "eta": "0.2",
    "gamma": "4",
    "min_child_weight": "6",
    "subsample": "0.8",
    "objective": "reg:squarederror",  # the course's reg:linear, by its name of today
    "early_stopping_rounds": "10",
    "num_round": "60",
}
TUNED = {
    "gamma": "4",
    "subsample": "0.8",
    "objective": "reg:squarederror",
    "early_stopping_rounds": "10",
    "num_round": "50",
}
LINEAR = {"predictor_type": "regressor", "mini_batch_size": "10", "epochs": "20"}


def variant(name: str, model: str) -> ProductionVariantTypeDef:
    return {
        "InstanceType": "ml.m4.xlarge",
        "InitialVariantWeight": 1,
        "InitialInstanceCount": 1,
        "ModelName": model,
        "VariantName": name,
    }


class Course:
    """The course's requests; its names end with the time."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.session = notebook.session
        self.client: SageMakerClient = boto3.client("sagemaker")
        self.runtime = boto3.client("sagemaker-runtime")
        self.at = time.strftime("%Y-%m-%d-%H-%M-%S", time.gmtime())

    def channels(self) -> list[ChannelTypeDef]:
        uris = {"train": self.notebook.train, "validation": self.notebook.validation}
        return [
            {
                "ChannelName": name,
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": uri,
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
                "ContentType": "text/csv",
                "CompressionType": "None",
            }
            for name, uri in uris.items()
        ]

    def definition(self, image: str, **more: object) -> Any:
        """What a training job and a tuning job have in common, and more."""
        return {
            "RoleArn": self.notebook.role,
            "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/{PREFIX}/low-level"},
            "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m4.xlarge", "VolumeSizeInGB": 5},
            "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
            "InputDataConfig": self.channels(),
            **more,
        }

    def train(self, algorithm: str, image: str, hyperparameters: dict[str, str]) -> str:
        name = f"boston-{algorithm}-{self.at}"
        self.client.create_training_job(**self.definition(image, HyperParameters=hyperparameters, TrainingJobName=name))
        self.session.logs_for_job(name, wait=True, poll=1)
        return name

    def model(self, job: str, image: str) -> str:
        """A model of what a training job left."""
        artifacts = self.client.describe_training_job(TrainingJobName=job)["ModelArtifacts"]["S3ModelArtifacts"]
        container: ContainerDefinitionTypeDef = {"Image": image, "ModelDataUrl": artifacts}
        name = f"{job}-model"
        self.client.create_model(ModelName=name, ExecutionRoleArn=self.notebook.role, PrimaryContainer=container)
        return name

    def transform(self, model: str) -> list[float]:
        """The model's answers to the rows of test, by a transform job."""
        name, output = f"boston-batch-{self.at}", f"s3://{BUCKET}/{PREFIX}/batch-transform"
        self.client.create_transform_job(
            TransformJobName=name,
            ModelName=model,
            MaxConcurrentTransforms=1,
            MaxPayloadInMB=6,
            BatchStrategy="MultiRecord",
            TransformOutput={"S3OutputPath": output},
            TransformInput={
                "ContentType": "text/csv",
                "SplitType": "Line",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": self.notebook.test}},
            },
            TransformResources={"InstanceType": "ml.m4.xlarge", "InstanceCount": 1},
        )
        self.session.wait_for_transform_job(name, poll=1)
        return [float(line) for line in self.notebook.read(f"{output}/test.csv.out").splitlines()]

    def config(self, kind: str, *variants: ProductionVariantTypeDef) -> str:
        name = f"boston-{kind}-config-{self.at}"
        self.client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=list(variants))
        return name

    def endpoint(self, kind: str, config: str) -> str:
        name = f"boston-{kind}-endpoint-{self.at}"
        self.client.create_endpoint(EndpointName=name, EndpointConfigName=config)
        self.session.wait_for_endpoint(name, poll=1)
        return name

    def invoke(self, endpoint: str) -> tuple[str, list[float]]:
        """The variant that answered, and its answers to the rows of test."""
        payload = "\n".join(",".join(str(entry) for entry in row) for row in self.notebook.rows)
        response = self.runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=payload)
        body = response["Body"].read().decode()
        if response["ContentType"] == "application/json":
            return response["InvokedProductionVariant"], [answer["score"] for answer in json.loads(body)["predictions"]]
        return response["InvokedProductionVariant"], [float(number) for number in body.replace("\n", ",").split(",") if number]

    def tune(self, image: str) -> str:
        """The best training job of a tuning job."""
        name = f"tuning-{self.at}"
        self.client.create_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=name,
            HyperParameterTuningJobConfig={
                "ParameterRanges": {
                    "CategoricalParameterRanges": [],
                    "ContinuousParameterRanges": [{"MaxValue": "0.5", "MinValue": "0.05", "Name": "eta"}],
                    "IntegerParameterRanges": [
                        {"MaxValue": "12", "MinValue": "3", "Name": "max_depth"},
                        {"MaxValue": "8", "MinValue": "2", "Name": "min_child_weight"},
                    ],
                },
                "ResourceLimits": {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 3},
                "Strategy": "Bayesian",
                "HyperParameterTuningJobObjective": {"MetricName": "validation:rmse", "Type": "Minimize"},
            },
            TrainingJobDefinition=self.definition(image, StaticHyperParameters=TUNED),
        )
        self.session.wait_for_tuning_job(name, poll=1)
        found = self.client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        return found["BestTrainingJob"]["TrainingJobName"]
