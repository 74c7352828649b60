"""What a page of another origin on this machine may do: upload to S3 by a presigned URL of signature version 4.

The URL is the proof, as it is in AWS, and says which object it is for. The page has it from somebody who may sign, and its
browser sends no proof of its own. Whether the bucket lets such pages upload, its CORS rules say.
"""

from __future__ import annotations

from dataclasses import replace

from sagemaker_emulator.guard.hosts import is_page_of_this_machine
from sagemaker_emulator.guard.request import Request
from sagemaker_emulator.guard.signatures import Signature

_METHOD = "access-control-request-method"


def is_of_page(request: Request) -> bool:
    """Whether a page of this machine uploads by a presigned URL, or its browser asks whether it may (a preflight)."""
    is_put = request.method == "PUT" or (request.method == "OPTIONS" and request.header(_METHOD) == "PUT")
    is_presigned = any(name == "X-Amz-Signature" for name, _ in request.parameters)
    return is_put and is_presigned and not request.has("authorization") and is_page_of_this_machine(request)


def as_upload(request: Request) -> Request:
    """What the signature has to be of: of a preflight, the upload that it asks about."""
    return replace(request, method="PUT")


def is_proof(signature: Signature) -> bool:
    return signature.presigned and signature.scope.service == "s3"
