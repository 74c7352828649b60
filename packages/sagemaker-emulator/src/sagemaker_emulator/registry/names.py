"""Groups and packages by name or ARN."""

from __future__ import annotations

from sagemaker_emulator.aws import Place
from sagemaker_emulator.call import Call
from sagemaker_emulator.conditions import of_request
from sagemaker_emulator.errors import ServiceError, invalid
from sagemaker_emulator.store import Document, Store

GROUP_KIND = "model-package-group"
PACKAGE_KIND = "model-package"

# The service's own members of a group's document:
#   _next_version  of its next package: a number is not used again
# and of a package's:
#   _order         its place among all by name and version
#   _token         ClientToken of the request that made it


def arn_of(place: Place, kind: str, text: str) -> str:
    """The ARN that a name or an ARN stands for."""
    return text if text.startswith("arn:") else place.arn(kind, text)


def find(store: Store, place: Place, kind: str, text: str) -> Document | None:
    """What a name or an ARN stands for. Names differ in case, ARNs are in lower case."""
    own = place.arn(kind, "")
    if not text.startswith("arn:"):
        found = store.get(kind, text)
        return found if found and name_of(found) == text else None
    return store.get(kind, text.removeprefix(own)) if text.startswith(own) else None


def name_of(document: Document) -> str:
    """A group's name, an unversioned package's, or ``group/version``."""
    if "ModelPackageVersion" in document:
        return f"{document['ModelPackageGroupName']}/{document['ModelPackageVersion']}"
    return str(document.get("ModelPackageName") or document["ModelPackageGroupName"])


def existing_group(call: Call, text: str) -> Document:
    found = find(call.store, call.place, GROUP_KIND, text)
    if found is None:
        raise invalid(f"ModelPackageGroup {arn_of(call.place, GROUP_KIND, text)} does not exist.")
    return found


def existing_package(call: Call, text: str) -> Document:
    found = find(call.store, call.place, PACKAGE_KIND, text)
    if found is None:
        raise no_package(call.place, text)
    return found


def no_package(place: Place, text: str) -> ServiceError:
    return invalid(f"ModelPackage {arn_of(place, PACKAGE_KIND, text)} does not exist.")


def require_package(call: Call, text: str) -> None:
    """The caller may do this operation on a package; the tags of a versioned one are those of its group."""
    arn = arn_of(call.place, PACKAGE_KIND, text)
    package = find(call.store, call.place, PACKAGE_KIND, text)
    tagged = arn
    if package and "ModelPackageVersion" in package:
        tagged = call.place.arn(GROUP_KIND, package["ModelPackageGroupName"])
    call.permissions.require(
        call.caller,
        f"sagemaker:{call.operation}",
        arn,
        resource_tags=call.store.tags(tagged),
        context=of_request(call.operation, call.request),
    )
