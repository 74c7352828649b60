"""CreateModelPackageGroup and the calls about groups."""

from __future__ import annotations

from sagemaker_emulator.call import Call
from sagemaker_emulator.clock import now
from sagemaker_emulator.errors import ServiceError, invalid
from sagemaker_emulator.listing import Listing
from sagemaker_emulator.registry.names import GROUP_KIND, PACKAGE_KIND, arn_of, existing_group
from sagemaker_emulator.store import Document, copied

_LISTING = Listing("ListModelPackageGroups", "ModelPackageGroupName", ascending=("Name", "CreationTime"))


def create_model_package_group(call: Call) -> Document:
    name = call.request["ModelPackageGroupName"]
    arn = call.place.arn(GROUP_KIND, name)
    call.require_create(arn)
    group = {
        "ModelPackageGroupName": name,
        "ModelPackageGroupArn": arn,
        "CreationTime": now(),
        "CreatedBy": {},
        "ModelPackageGroupStatus": "Completed",
        **copied(call.request, "ModelPackageGroupDescription", "ManagedConfiguration"),
        "_next_version": 1,
    }
    if not call.store.insert(GROUP_KIND, name, group):
        raise invalid(f"Model Package Group already exists: {arn}")
    call.store.add_tags(arn, call.request_tags())
    return {"ModelPackageGroupArn": arn}


def describe_model_package_group(call: Call) -> Document:
    text = call.request["ModelPackageGroupName"]
    call.require(arn_of(call.place, GROUP_KIND, text))
    return existing_group(call, text)


def list_model_package_groups(call: Call) -> Document:
    call.require("*", exists=False)
    # There are no groups of other accounts here.
    own = call.request.get("CrossAccountFilterOption") != "CrossAccount"
    groups, more = _LISTING.page(call.store.documents(GROUP_KIND) if own else [], call.request)
    members = ("ModelPackageGroupName", "ModelPackageGroupArn", "ModelPackageGroupDescription", "CreationTime")
    summaries = [copied(group, *members, "ModelPackageGroupStatus", "ManagedConfiguration") for group in groups]
    return {"ModelPackageGroupSummaryList": summaries, **more}


def delete_model_package_group(call: Call) -> Document:
    text = call.request["ModelPackageGroupName"]
    arn = arn_of(call.place, GROUP_KIND, text)
    call.require(arn)
    name = existing_group(call, text)["ModelPackageGroupName"]
    with call.store.undisturbed():
        if any(package.get("ModelPackageGroupName") == name for package in call.store.documents(PACKAGE_KIND)):
            # The code is that of the service model; SageMaker's own words are not published.
            raise ServiceError(
                "ConflictException",
                f"The model package group {arn} has model packages: delete them first, by DeleteModelPackage.",
            )
        call.store.delete(GROUP_KIND, name, call.place.arn(GROUP_KIND, name))
    return {}
