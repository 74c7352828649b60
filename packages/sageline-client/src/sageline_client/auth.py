"""Who asks: AWS credentials, with which each request is signed, or a bearer token."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, TypeAlias

import httpx

if TYPE_CHECKING:
    from botocore.credentials import Credentials

Token: TypeAlias = str | Callable[[], str]
"""A token, or what gives one that is good now: it is asked before every request, so it should keep one as long as it is good."""

_NEEDED = "AWS credentials are read and signed with by botocore: pip install 'sageline-client[aws]', or give a token."


class SigV4(httpx.Auth):
    """Signs requests for API Gateway with IAM authorization (service ``execute-api``)."""

    requires_request_body = True

    def __init__(self, credentials: Credentials, region: str) -> None:
        """``credentials``: of botocore or boto3; those that expire are renewed when a request is signed."""
        self._credentials = credentials
        self._region = region

    @classmethod
    def of_environment(cls, url: str) -> SigV4:
        """With the credentials that boto3 would find: of the environment, a profile, a container or an instance.

        Raises:
            ImportError: botocore is not installed.
            ValueError: there are no credentials, or no region.
        """
        try:
            import botocore.session  # noqa: PLC0415  # only who signs needs it
        except ImportError:
            raise ImportError(_NEEDED) from None
        session = botocore.session.Session()
        credentials = session.get_credentials()
        if credentials is None:
            raise ValueError("No AWS credentials were found: set AWS_PROFILE, sign in (`aws sso login`), or give a token.")
        region = _region_of(url) or session.get_config_variable("region")
        if not region:
            raise ValueError("No AWS region is set: set AWS_DEFAULT_REGION, or `region` in the profile.")
        return cls(credentials, region)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        from botocore.auth import SigV4Auth  # noqa: PLC0415  # as above
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415

        signed = AWSRequest(request.method, str(request.url), data=request.content)
        # Frozen here and not before: credentials of a role are renewed while a client lives.
        SigV4Auth(self._credentials.get_frozen_credentials(), "execute-api", self._region).add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        yield request


class BearerToken(httpx.Auth):
    """Sends a token: for the API that takes JWTs."""

    def __init__(self, token: Token) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = self._token if isinstance(self._token, str) else self._token()
        request.headers["authorization"] = f"Bearer {token}"
        yield request


def _region_of(url: str) -> str | None:
    """The region that a URL of API Gateway's own names, which is the one to sign for."""
    found = re.fullmatch(r"\w+\.execute-api\.([\w-]+)\.amazonaws\.com(\.cn)?", httpx.URL(url).host)
    return found[1] if found else None
