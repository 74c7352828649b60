"""CreateModel and the calls about models."""

from __future__ import annotations

from botocore.exceptions import ClientError

from sagemaker_emulator.call import Call
from sagemaker_emulator.clock import now
from sagemaker_emulator.errors import invalid
from sagemaker_emulator.hosting.containers import MODEL_KIND
from sagemaker_emulator.listing import Listing
from sagemaker_emulator.registry.resolve import resolved
from sagemaker_emulator.s3_uris import check_uri
from sagemaker_emulator.store import Document, Request, copied

_LISTING = Listing("ListModels", "ModelName", filters_within_page=True)


def create_model(call: Call) -> Document:
    request = call.request
    name = request["ModelName"]
    arn = call.place.arn(MODEL_KIND, name)
    call.require_create(arn)
    container = resolved(call, _container(request))
    _check_container(container)
    role = request.get("ExecutionRoleArn")
    if not role:
        raise invalid("ExecutionRoleArn is required to create a model.")
    call.permissions.require_pass_role(call.caller, role)
    _check_model_data(call, container, role)
    model = {
        "ModelName": name,
        "ModelArn": arn,
        "CreationTime": now(),
        "EnableNetworkIsolation": False,
        **({"PrimaryContainer": container} if request.get("PrimaryContainer") else {"Containers": [container]}),
        **copied(request, "InferenceExecutionConfig", "ExecutionRoleArn", "VpcConfig", "EnableNetworkIsolation"),
    }
    if not call.store.insert(MODEL_KIND, name, model):
        raise invalid(f'Cannot create already existing model "{arn}".')
    call.store.add_tags(arn, call.request_tags())
    return {"ModelArn": arn}


def describe_model(call: Call) -> Document:
    name = call.request["ModelName"]
    call.require(call.place.arn(MODEL_KIND, name))
    return existing(call, name)


def list_models(call: Call) -> Document:
    call.require("*", exists=False)
    models, more = _LISTING.page(call.store.documents(MODEL_KIND), call.request)
    return {"Models": [copied(model, "ModelName", "ModelArn", "CreationTime") for model in models], **more}


def delete_model(call: Call) -> Document:
    name = call.request["ModelName"]
    arn = call.place.arn(MODEL_KIND, name)
    call.require(arn)
    existing(call, name)
    call.store.delete(MODEL_KIND, name, arn)
    return {}


def existing(call: Call, name: str) -> Document:
    model = call.store.get(MODEL_KIND, name)
    if model is None or model["ModelName"] != name:
        raise invalid(f'Could not find model "{call.place.arn(MODEL_KIND, name)}".')
    return model


def _container(request: Request) -> Request:
    primary, several = request.get("PrimaryContainer"), request.get("Containers")
    if (primary is None) == (several is None):
        raise invalid("You must provide either PrimaryContainer or Containers, but not both.")
    if several is not None and len(several) != 1:
        raise invalid("Inference pipelines are not supported by the local SageMaker service: give one container.")
    container: Request = primary or (several or [{}])[0]
    return container


def _check_container(container: Request) -> None:
    if not container.get("Image"):
        raise invalid("The local SageMaker service needs an Image in the container definition.")
    if container.get("Mode", "SingleModel") != "SingleModel":
        raise invalid("Multi-model endpoints are not supported by the local SageMaker service.")
    if container.get("ModelDataSource"):
        raise invalid("ModelDataSource is not supported by the local SageMaker service: give a ModelDataUrl.")


def _check_model_data(call: Call, container: Request, role: str) -> None:
    """CreateModel looks at the model data: it must be an object that the execution role can read."""
    uri = container.get("ModelDataUrl")
    if not uri:
        return
    check_uri("ModelDataUrl", uri)
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not key:
        raise invalid(f"The ModelDataUrl '{uri}' is not valid: it must be the S3 URI of a .tar.gz object.")
    refused = invalid(
        f'Could not access model data at {uri}. Please ensure that the role "{role}" exists and that its trust relationship '
        'policy allows the action "sts:AssumeRole" for the service principal "sagemaker.amazonaws.com". Also ensure that the '
        f'role has "s3:GetObject" permissions and that the object is located in {call.place.region}.'
    )
    if not call.permissions.role_allows(role, "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}"):
        raise refused
    try:
        call.objects.look(bucket, key)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NoSuchBucket"):
            raise invalid(f"Could not find model data at {uri}.") from error
        raise refused from error
