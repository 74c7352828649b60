"""UpdateModelPackage: approval, metadata, specifications."""

from __future__ import annotations

from sagemaker_emulator.call import Call
from sagemaker_emulator.clock import now
from sagemaker_emulator.errors import invalid
from sagemaker_emulator.registry.names import PACKAGE_KIND, existing_package, name_of, no_package, require_package
from sagemaker_emulator.store import Document, Request, copied

_MOST_PROPERTIES = 50
_MOST_SPECIFICATIONS = 15
_REPLACED = (
    *("ModelApprovalStatus", "ApprovalDescription", "ModelPackageRegistrationType", "InferenceSpecification"),
    *("SourceUri", "ModelCard", "ModelLifeCycle"),
)


def update_model_package(call: Call) -> Document:
    request = call.request
    arn = request["ModelPackageArn"]
    require_package(call, arn)
    package = existing_package(call, arn)
    if request.get("ModelApprovalStatus") and "ModelPackageVersion" not in package:
        raise invalid(f"ModelApprovalStatus is for versioned model packages, and {arn} has no version.")

    def change(document: Document) -> None:
        document.update(copied(request, *_REPLACED), LastModifiedTime=now(), LastModifiedBy={})
        _change_properties(document, request)
        _add_specifications(document, request)

    changed = call.store.update(PACKAGE_KIND, name_of(package), change)
    if changed is None:
        raise no_package(call.place, arn)
    call.parts.events.model_package_changed(changed)
    return {"ModelPackageArn": changed["ModelPackageArn"]}


def _change_properties(document: Document, request: Request) -> None:
    removed = set(request.get("CustomerMetadataPropertiesToRemove") or [])
    properties = {**document.get("CustomerMetadataProperties", {}), **(request.get("CustomerMetadataProperties") or {})}
    left = {key: value for key, value in properties.items() if key not in removed}
    if len(left) > _MOST_PROPERTIES:
        raise invalid(f"A model package has at most {_MOST_PROPERTIES} CustomerMetadataProperties; this would make {len(left)}.")
    document.pop("CustomerMetadataProperties", None)
    if left:
        document["CustomerMetadataProperties"] = left


def _add_specifications(document: Document, request: Request) -> None:
    added = request.get("AdditionalInferenceSpecificationsToAdd") or []
    specifications = [*document.get("AdditionalInferenceSpecifications", []), *added]
    names = [specification["Name"] for specification in specifications]
    if len(names) > _MOST_SPECIFICATIONS or len(names) != len(set(names)):
        raise invalid(
            f"A model package has at most {_MOST_SPECIFICATIONS} AdditionalInferenceSpecifications of different names; "
            f"this would make {', '.join(names)}."
        )
    if specifications:
        document["AdditionalInferenceSpecifications"] = specifications
