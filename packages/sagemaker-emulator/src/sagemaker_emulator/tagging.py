"""AddTags, ListTags, DeleteTags."""

from __future__ import annotations

import re

from sagemaker_emulator.call import Call
from sagemaker_emulator.errors import invalid
from sagemaker_emulator.store import Document, Request

_MOST_TAGS = 50
_RESERVED = "aws:"
_KINDS = (
    *("training-job", "hyper-parameter-tuning-job", "transform-job", "model", "endpoint-config", "endpoint"),
    *("model-package-group", "model-package"),
)


def check_tags(request: Request) -> None:
    """Of any request: raises ValidationException for keys that are AWS's own, and for one that is there twice."""
    keys = [tag["Key"] for tag in request.get("Tags") or []]
    if any(key.lower().startswith(_RESERVED) for key in (*keys, *(request.get("TagKeys") or []))):
        raise invalid("aws: prefixed tag key names are not allowed for external use.")
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise invalid(f"Duplicate tag keys in Tags: {', '.join(twice)}. Give each key once.")


def add_tags(call: Call) -> Document:
    arn = _existing(call)
    tags = call.request_tags()
    call.permissions.require(call.caller, "sagemaker:AddTags", arn, request_tags=tags, resource_tags=call.store.tags(arn))
    _check_resource(call, arn)
    merged = {**call.store.tags(arn), **tags}
    if len(merged) > _MOST_TAGS:
        raise invalid(f"A resource can have at most {_MOST_TAGS} tags; this request would leave {arn} with {len(merged)}.")
    call.store.add_tags(arn, tags)
    return {"Tags": _as_list(merged)}


def list_tags(call: Call) -> Document:
    arn = _existing(call)
    call.require(arn)
    _check_resource(call, arn)
    if call.request.get("NextToken"):
        raise invalid("Invalid NextToken: all tags of a resource are on one page, so that no list of them has a token.")
    return {"Tags": _as_list(call.store.tags(arn))}


def delete_tags(call: Call) -> Document:
    arn = _existing(call)
    keys = call.request["TagKeys"]
    call.permissions.require(
        call.caller, "sagemaker:DeleteTags", arn, request_tags=dict.fromkeys(keys, ""), resource_tags=call.store.tags(arn)
    )
    _check_resource(call, arn)
    call.store.delete_tags(arn, keys)
    return {}


def _as_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def _existing(call: Call) -> str:
    """The ARN, as the resource has it itself: a name in it may come with capitals."""
    arn, slash, name = str(call.request["ResourceArn"]).partition("/")
    return arn + slash + name.lower()


def _check_resource(call: Call, arn: str) -> None:
    match = re.fullmatch(r"arn:aws[a-z-]*:sagemaker:([a-z0-9-]+):(\d{12}):([a-z-]+)/(.+)", arn)
    if match is None or (match[1], match[2]) != (call.place.region, call.place.account):
        raise invalid(f"Invalid resource ARN for this account and region: {arn}")
    if match[3] not in _KINDS or call.store.get(match[3], match[4]) is None:
        raise invalid(f"Could not find resource: {arn}")
    if match[3] == "model-package" and "/" in match[4]:
        group = call.place.arn("model-package-group", match[4].partition("/")[0])
        raise invalid(f"A versioned model package has no tags of its own, but those of its group: use {group}.")
