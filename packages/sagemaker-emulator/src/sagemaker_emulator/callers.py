"""Who is calling: from the access key of a signed request to a role.

There are the root's key, those of containers that were given their execution role's credentials, and those of Lambda functions:
MiniStack gives every function an access key derived from the function's ARN and its role's ARN
(``ministack.core.lambda_runtime.execution_credentials``). Deriving the same keys for the functions that exist leads
from a key back to its role. That a request was signed with the key's secret is known before: the guard verifies it.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sagemaker_emulator.credentials import SESSION_NAME
from sagemaker_emulator.errors import ServiceError

_CREDENTIAL = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/,\s]+)/\d{8}/[a-z0-9-]+/sagemaker/aws4_request,\s*"
    r"SignedHeaders=[^,\s]+,\s*Signature=[0-9a-f]{64}"
)


@dataclass(frozen=True)
class Function:
    """The parts of a Lambda function that its credentials derive from."""

    arn: str
    name: str
    role_arn: str


@dataclass(frozen=True)
class Caller:
    """An identity; ``role_name`` is None for the root, which may do everything."""

    arn: str
    role_name: str | None = None


def function_access_key(function_arn: str, role_arn: str) -> str:
    """The access key that MiniStack gives the processes of a function (MiniStack 1.5.33)."""
    digest = hashlib.sha256(f"{function_arn}:{role_arn}".encode()).hexdigest()
    return f"ASIA{digest[:16].upper()}"


def access_key(authorization: str | None) -> str:
    """The access key id of a SigV4 Authorization header."""
    if not authorization:
        raise ServiceError("MissingAuthenticationTokenException", "Missing Authentication Token", status=403)
    match = _CREDENTIAL.fullmatch(authorization)
    if match is None:
        raise ServiceError(
            "IncompleteSignatureException",
            "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters of a SigV4 signature "
            "for the service 'sagemaker'.",
            status=403,
        )
    return match["key"]


class Callers:
    """Resolves access keys; the functions are listed again when a key is not known."""

    def __init__(
        self,
        root_id: str,
        list_functions: Callable[[], Iterable[Function]],
        account: str,
        role_of_session: Callable[[str], str | None] = lambda _key: None,
    ) -> None:
        self._root_id = root_id
        self._list_functions = list_functions
        self._account = account
        self._role_of_session = role_of_session
        self._root = Caller(f"arn:aws:iam::{account}:root")
        self._known: Mapping[str, Caller] = {}
        self._lock = threading.Lock()

    def at_hand(self, authorization: str | None) -> Caller | None:
        """Who is calling; None where the functions have to be listed for it."""
        key = access_key(authorization)
        if key == self._root_id:
            return self._root
        return self._known.get(key) or self._of_session(key)

    def identify(self, authorization: str | None) -> Caller:
        caller = self.at_hand(authorization) or self._refreshed().get(access_key(authorization))
        if caller is None:
            raise ServiceError(
                "UnrecognizedClientException", "The security token included in the request is invalid.", status=403
            )
        return caller

    def _of_session(self, key: str) -> Caller | None:
        """A container that was given its execution role's credentials."""
        role = self._role_of_session(key)
        return self._as_role(role, SESSION_NAME) if role else None

    def _as_role(self, role_arn: str, session: str) -> Caller:
        name = role_name(role_arn)
        return Caller(f"arn:aws:sts::{self._account}:assumed-role/{name}/{session}", name)

    def _refreshed(self) -> Mapping[str, Caller]:
        with self._lock:
            self._known = {
                function_access_key(function.arn, function.role_arn): self._as_role(function.role_arn, function.name[:64])
                for function in self._list_functions()
            }
            return self._known


def role_name(role_arn: str) -> str:
    return role_arn.rsplit("/", 1)[-1]
