"""The execution role of the notebooks here. SageMaker's have one of their own; the SDK's get_execution_role asks STS in AWS."""

import json
from contextlib import suppress

import boto3
import sagemaker

NAME = "SageMakerExecutionRole"


def get_execution_role():
    """The ARN of a role that SageMaker may assume, which may read and write the session's default bucket."""
    iam = boto3.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    bucket = f"arn:aws:s3:::{sagemaker.Session().default_bucket()}"
    data = {"Effect": "Allow", "Action": "s3:*", "Resource": [bucket, f"{bucket}/*"]}
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=_policy(trust))
    iam.put_role_policy(RoleName=NAME, PolicyName="data", PolicyDocument=_policy(data))
    return iam.get_role(RoleName=NAME)["Role"]["Arn"]


def _policy(statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
