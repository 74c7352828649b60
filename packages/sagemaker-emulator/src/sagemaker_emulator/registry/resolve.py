"""Containers of CreateModel that name a model package instead of an image."""

from __future__ import annotations

from sagemaker_emulator.call import Call
from sagemaker_emulator.errors import invalid
from sagemaker_emulator.registry.names import existing_package
from sagemaker_emulator.store import Document, Request, copied

APPROVED = "Approved"


def resolved(call: Call, container: Request) -> Request:
    """The container with what its model package says of image, model data and environment; others as they are.

    Its own environment goes before. Raises ValidationException where the package is not one that can be deployed.
    """
    text = container.get("ModelPackageName")
    if not text:
        return container
    for member in ("Image", "ModelDataUrl", "ModelDataSource"):
        if container.get(member):
            raise invalid(f"{member} can not be given with ModelPackageName: the model package has it.")
    package = existing_package(call, text)
    # "The value of this parameter must be set to Approved to deploy the model" [source: CreateModelPackage in the service model;
    # SageMaker's own words are not published].
    if "ModelPackageVersion" in package and package["ModelApprovalStatus"] != APPROVED:
        raise invalid(
            f"The model package {package['ModelPackageArn']} is {package['ModelApprovalStatus']}: to deploy it, its "
            f"ModelApprovalStatus must be {APPROVED} (UpdateModelPackage)."
        )
    found = _container(package, container.get("InferenceSpecificationName"))
    environment = {**found.get("Environment", {}), **container.get("Environment", {})}
    return {
        **container,
        **copied(found, "Image", "ModelDataUrl", "ModelDataSource"),
        **({"Environment": environment} if environment else {}),
    }


def _container(package: Document, name: str | None) -> Document:
    """The one container of a package, or of its additional inference specification of this name."""
    arn, specification = package["ModelPackageArn"], package.get("InferenceSpecification")
    if name:
        named = {item["Name"]: item for item in package.get("AdditionalInferenceSpecifications", [])}
        if name not in named:
            raise invalid(f"The model package {arn} has no inference specification {name}.")
        specification = named[name]
    if not specification:
        raise invalid(f"The model package {arn} has no InferenceSpecification: there is nothing in it to deploy.")
    containers: list[Document] = specification["Containers"]
    if len(containers) != 1:
        raise invalid(
            f"The model package {arn} has {len(containers)} containers: inference pipelines are not supported by the local "
            "SageMaker service."
        )
    return containers[0]
