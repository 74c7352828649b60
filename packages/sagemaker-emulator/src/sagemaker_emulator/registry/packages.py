"""CreateModelPackage and the calls about packages, except UpdateModelPackage."""

from __future__ import annotations

from sagemaker_emulator.call import Call
from sagemaker_emulator.clock import now
from sagemaker_emulator.errors import invalid
from sagemaker_emulator.listing import Listing
from sagemaker_emulator.registry.names import (
    GROUP_KIND,
    PACKAGE_KIND,
    existing_package,
    find,
    name_of,
    no_package,
    require_package,
)
from sagemaker_emulator.store import Document, Request, copied

PENDING = "PendingManualApproval"
_LISTING = Listing("ListModelPackages", "_order", ascending=("Name", "CreationTime"))
_KEPT = (
    *("ModelPackageDescription", "ModelPackageRegistrationType", "InferenceSpecification", "MetadataProperties"),
    *("ModelMetrics", "Domain", "Task", "SamplePayloadUrl", "CustomerMetadataProperties", "DriftCheckBaselines"),
    *("AdditionalInferenceSpecifications", "SkipModelValidation", "SourceUri", "SecurityConfig", "ModelCard"),
    *("ModelLifeCycle", "ManagedStorageType"),
)
_NAMES = ("ModelPackageName", "ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn")


def create_model_package(call: Call) -> Document:
    request = call.request
    versioned = _is_versioned(request)
    found = find(call.store, call.place, GROUP_KIND, request["ModelPackageGroupName"]) if versioned else None
    name = f"{found['ModelPackageGroupName']}/{found['_next_version']}" if found else request.get("ModelPackageName")
    call.require_create(call.place.arn(PACKAGE_KIND, name or request["ModelPackageGroupName"]))
    if versioned and found is None:
        raise invalid("Model Package Group does not exist.")
    _check(request, versioned=versioned)
    with call.store.undisturbed():
        before = _made_by(call, request.get("ClientToken"))
        if before is not None:
            return {"ModelPackageArn": before["ModelPackageArn"]}
        package = _new_version(call, found) if found else _unversioned(call)
        if not call.store.insert(PACKAGE_KIND, name_of(package), package):
            raise invalid(f"ModelPackage already exists: {package['ModelPackageArn']}")
        call.store.add_tags(package["ModelPackageArn"], call.request_tags())
    call.parts.events.model_package_changed(package)
    return {"ModelPackageArn": package["ModelPackageArn"]}


def describe_model_package(call: Call) -> Document:
    text = call.request["ModelPackageName"]
    require_package(call, text)
    return existing_package(call, text)


def batch_describe_model_package(call: Call) -> Document:
    found, missing = {}, {}
    for arn in call.request["ModelPackageArnList"]:
        require_package(call, arn)
        package = find(call.store, call.place, PACKAGE_KIND, arn)
        if package is None:
            error = no_package(call.place, arn)
            missing[arn] = {"ErrorCode": error.code, "ErrorResponse": error.message}
        else:
            members = ("ModelPackageDescription", "CreationTime", "InferenceSpecification", "ModelPackageRegistrationType")
            found[arn] = copied(package, *_NAMES[1:], *members, "ModelPackageStatus", "ModelApprovalStatus")
    return {"ModelPackageSummaries": found, "BatchDescribeModelPackageErrorMap": missing}


def list_model_packages(call: Call) -> Document:
    """Of a group its versions; without one, the unversioned packages unless ModelPackageType says otherwise."""
    call.require("*", exists=False)
    request = call.request
    group = request.get("ModelPackageGroupName", "")
    found = find(call.store, call.place, GROUP_KIND, group) if group else None
    wanted = "Versioned" if group else request.get("ModelPackageType", "Unversioned")
    packages = [
        package
        for package in call.store.documents(PACKAGE_KIND)
        if wanted in ("Both", "Versioned" if "ModelPackageVersion" in package else "Unversioned")
        and (not group or (found is not None and package["ModelPackageGroupName"] == found["ModelPackageGroupName"]))
        and request.get("NameContains", "").lower() in name_of(package).partition("/")[0].lower()
        and request.get("ModelApprovalStatus") in (None, package.get("ModelApprovalStatus"))
    ]
    order = {name: value for name, value in request.items() if name != "NameContains"}
    listed, more = _LISTING.page(packages, order, within=group)
    members = (*_NAMES, "ModelPackageDescription", "CreationTime", "ModelPackageStatus", "ModelApprovalStatus")
    summaries = [copied(package, *members, "ModelLifeCycle", "ModelPackageRegistrationType") for package in listed]
    return {"ModelPackageSummaryList": summaries, **more}


def delete_model_package(call: Call) -> Document:
    text = call.request["ModelPackageName"]
    require_package(call, text)
    package = existing_package(call, text)
    call.store.delete(PACKAGE_KIND, name_of(package), package["ModelPackageArn"])
    return {}


def _is_versioned(request: Request) -> bool:
    """By which of the two names it is made [source of the words: answers of AWS that moto's users have reported]."""
    if request.get("ModelPackageName") and request.get("ModelPackageGroupName"):
        raise invalid(
            "Both ModelPackageName and ModelPackageGroupName are provided in the input. Cannot determine which one to use."
        )
    if not request.get("ModelPackageName") and not request.get("ModelPackageGroupName"):
        raise invalid("Missing ARN.")
    return bool(request.get("ModelPackageGroupName"))


def _check(request: Request, *, versioned: bool) -> None:
    """What the documentation of the members rules out. Words of AWS where they are known."""
    for unsupported in ("SourceAlgorithmSpecification", "ValidationSpecification", "CertifyForMarketplace"):
        if request.get(unsupported):
            raise invalid(f"{unsupported} is not supported by the local SageMaker service.")
    if versioned:
        if request.get("Tags"):
            raise invalid("Tags can not be given for a versioned model package: it has those of its model package group.")
        return
    if request.get("ModelApprovalStatus"):
        raise invalid("ModelApprovalStatus is for versioned model packages: give a ModelPackageGroupName.")
    if not request.get("InferenceSpecification"):
        raise invalid("InferenceSpecification is required for an unversioned model package.")
    if any(container.get("Environment") for container in request["InferenceSpecification"]["Containers"]):
        raise invalid(
            "1 validation errors detected:Environment variable map cannot be specified when using non-versioned ModelPackages"
        )


def _made_by(call: Call, token: str | None) -> Document | None:
    """What the same request has made already: a retry brings the same token."""
    if not token:
        return None
    return next((package for package in call.store.documents(PACKAGE_KIND) if package["_token"] == token), None)


def _new_version(call: Call, group: Document) -> Document:
    numbered = call.store.update(
        GROUP_KIND, group["ModelPackageGroupName"], lambda document: document.update(_next_version=document["_next_version"] + 1)
    )
    if numbered is None:
        raise invalid("Model Package Group does not exist.")
    name, version = numbered["ModelPackageGroupName"], numbered["_next_version"] - 1
    return {
        "ModelPackageGroupName": name,
        "ModelPackageVersion": version,
        **_package(call, f"{name}/{version}", f"{name}/{version:09d}"),
        "ModelApprovalStatus": call.request.get("ModelApprovalStatus", PENDING),
    }


def _unversioned(call: Call) -> Document:
    name = call.request["ModelPackageName"]
    return {"ModelPackageName": name, **_package(call, name, name)}


def _package(call: Call, name: str, order: str) -> Document:
    created = now()
    return {
        "ModelPackageArn": call.place.arn(PACKAGE_KIND, name),
        "CreationTime": created,
        "LastModifiedTime": created,
        "CreatedBy": {},
        # Neither images are scanned nor jobs run for a package here.
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CertifyForMarketplace": False,
        **copied(call.request, *_KEPT),
        "_order": order,
        "_token": call.request.get("ClientToken"),
    }
