"""AddTags, ListTags, DeleteTags."""

from __future__ import annotations

import re

from sagemaker_emulator.call import Call
from sagemaker_emulator.errors import invalid
from sagemaker_emulator.store import Document

_MOST_TAGS = 50
_KINDS = ("training-job", "hyper-parameter-tuning-job", "transform-job", "model", "endpoint-config", "endpoint")


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
    return str(call.request["ResourceArn"])


def _check_resource(call: Call, arn: str) -> None:
    match = re.fullmatch(r"arn:aws[a-z-]*:sagemaker:([a-z0-9-]+):(\d{12}):([a-z-]+)/(.+)", arn)
    if match is None or (match[1], match[2]) != (call.place.region, call.place.account):
        raise invalid(f"Invalid resource ARN for this account and region: {arn}")
    if match[3] not in _KINDS or call.store.get(match[3], match[4]) is None:
        raise invalid(f"Could not find resource: {arn}")
