"""The guard before the stack's servers: whoever has no secret of the stack is refused by all of them, and nothing changes."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from urllib.parse import urlsplit

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from sageline_local import deploy
from sageline_local.stack import LocalStack
from sagemaker_emulator.callers import function_access_key
from sagemaker_emulator.guard.keys import derived_secret
from tests.workflow.outsider import Call, calls, of, send, signed, watcher

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def variables(stack: LocalStack) -> dict[str, str]:
    return stack.environment()


@pytest.fixture(scope="module")
def targets(stack: LocalStack, variables: dict[str, str]) -> list[tuple[str, Call]]:
    return calls(variables, stack.status().bucket)


@pytest.fixture(scope="module")
def look(stack: LocalStack) -> Callable[[], dict[str, object]]:
    return watcher(stack)


@pytest.fixture
def _unchanged(look: Callable[[], dict[str, object]]) -> Iterator[None]:
    """What there is before a test is there after it."""
    before = look()
    yield
    assert look() == before


def root(variables: Mapping[str, str]) -> Credentials:
    return Credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])


def refused(answer: tuple[int, Mapping[str, str], bytes]) -> bool:
    status, headers, body = answer
    return status in (400, 403) and len(body) < 700 and not any(name.startswith("access-control") for name in headers)


@pytest.mark.usefixtures("_unchanged")
def test_what_is_not_signed_is_refused_everywhere(targets: list[tuple[str, Call]]) -> None:
    assert [call for url, call in targets if not refused(send(url, call))] == []


@pytest.mark.usefixtures("_unchanged")
@pytest.mark.parametrize("key", [Credentials("test", "test"), Credentials("000000000000", "test"), Credentials("test", "x" * 40)])
def test_the_root_without_the_stacks_secret_is_refused_everywhere(targets: list[tuple[str, Call]], key: Credentials) -> None:
    assert [call for url, call in targets if not refused(send(url, call, key))] == []


@pytest.mark.usefixtures("_unchanged")
@pytest.mark.parametrize("origin", ["null", "https://evil.example", "http://127.0.0.1:8000"])
def test_pages_are_refused_everywhere_even_with_a_signature(
    targets: list[tuple[str, Call]], variables: dict[str, str], origin: str
) -> None:
    assert [call for url, call in targets if not refused(send(url, call, root(variables), origin=origin))] == []
    for path in ("/_ministack/health", "/_ministack/ready"):
        assert refused(send(variables["AWS_ENDPOINT_URL"], Call("s3", "GET", path, {}), origin=origin))


@pytest.mark.usefixtures("_unchanged")
@pytest.mark.parametrize("host", ["evil.example", "evil.example:4566", "localhost.evil.example"])
def test_a_foreign_host_is_refused_everywhere_even_with_a_signature_for_it(
    targets: list[tuple[str, Call]], variables: dict[str, str], host: str
) -> None:
    for url, call in targets:
        assert refused(
            send(url, Call(call.service, call.method, call.path, {**call.headers, "host": host}, call.body), root(variables))
        )


@pytest.mark.usefixtures("_unchanged")
@pytest.mark.parametrize(
    "path", ["/_ministack/reset", "//_ministack/reset", "/%5fministack/reset", "/_ministack/reset?init=1", "/_ministack/config"]
)
def test_ministack_is_not_reset_by_the_root_either(variables: dict[str, str], path: str) -> None:
    assert refused(send(variables["AWS_ENDPOINT_URL"], Call("s3", "POST", path, {}), root(variables)))


@pytest.mark.usefixtures("_unchanged")
def test_a_functions_key_cannot_be_computed_from_its_arns(stack: LocalStack, variables: dict[str, str]) -> None:
    clients = stack.clients()
    name = deploy.function_names(clients)["ManagePipelinesFunction"]
    pipelines = Call("execute-api", "GET", urlsplit(variables["SAGELINE_API_URL"]).path + "/pipelines", {})
    assert send(variables["AWS_ENDPOINT_URL"], pipelines, root(variables))[0] == 200, "its key is in use"
    function = clients.lambda_.get_function_configuration(FunctionName=name)
    digest = sha256(f"{function['FunctionArn']}:{function['Role']}".encode()).hexdigest()
    key = function_access_key(function["FunctionArn"], function["Role"])

    computed = Credentials(key, sha256(f"secret:{digest}".encode()).hexdigest(), sha256(f"token:{digest}".encode()).hexdigest())
    for url, call in (
        (variables["AWS_ENDPOINT_URL"], Call("sts", "GET", "/?Action=GetCallerIdentity&Version=2011-06-15", {})),
        (variables["AWS_ENDPOINT_URL_SAGEMAKER"], Call("sagemaker", "POST", "/", of("SageMaker.ListEndpoints"), b"{}")),
    ):
        assert refused(send(url, call, computed))

    own = Credentials(key, derived_secret(variables["AWS_SECRET_ACCESS_KEY"], key))
    asked = send(
        variables["AWS_ENDPOINT_URL_SAGEMAKER"], Call("sagemaker", "POST", "/", of("SageMaker.ListEndpoints"), b"{}"), own
    )
    assert asked[0] in (200, 400), "allowed, or denied by the function's role"


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_links_and_forms_work_and_no_longer_when_they_are_changed(stack: LocalStack, version: str) -> None:
    bucket, variables = stack.status().bucket, stack.environment()
    s3 = boto3.client(
        "s3",
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        config=Config(signature_version=version),
    )
    key = f"guard/{version} é.txt"
    with httpx.Client(trust_env=False, timeout=60) as http:
        put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": key})
        assert http.put(put, content=b"linked").status_code == 200
        get = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})
        assert http.get(get).content == b"linked"
        assert http.get(get.replace("guard/", "other/")).status_code == 403
        assert http.delete(get).status_code == 403
        post = s3.generate_presigned_post(bucket, key, Conditions=[["content-length-range", 0, 10]])
        assert http.post(post["url"], data=post["fields"], files={"file": b"posted"}).status_code == 204
        assert http.get(get).content == b"posted"
        assert http.post(post["url"], data=post["fields"], files={"file": b"x" * 11}).status_code == 400
        assert http.post(post["url"], data={**post["fields"], "policy": "e30="}, files={"file": b"x"}).status_code == 403
        assert http.post(post["url"], data={"key": key}, files={"file": b"x"}).status_code == 403
        assert http.get(get).content == b"posted"
    stack.clients().s3.delete_object(Bucket=bucket, Key=key)


def test_a_big_upload_whose_content_was_changed_on_the_way_is_not_stored(stack: LocalStack, variables: dict[str, str]) -> None:
    bucket, content = stack.status().bucket, b"x" * 3_000_000
    call = Call("s3", "PUT", f"/{bucket}/guard/big", {}, content)
    assert send(variables["AWS_ENDPOINT_URL"], call, root(variables))[0] == 200
    stack.clients().s3.delete_object(Bucket=bucket, Key="guard/big")

    headers = signed(variables["AWS_ENDPOINT_URL"], call, root(variables))
    changed = replace(call, body=content[:-1] + b"y")
    assert refused(send(variables["AWS_ENDPOINT_URL"], changed, None, **headers))
    with pytest.raises(ClientError, match="404"):
        stack.clients().s3.head_object(Bucket=bucket, Key="guard/big")


@pytest.mark.usefixtures("_unchanged")
@pytest.mark.parametrize(
    "head",
    [
        "POST /_ministack/reset HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n",
        "POST http://{host}/_ministack/reset HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n",
        "POST /_ministack/health HTTP/1.1\r\nHost: {host}\r\nX-HTTP-Method-Override: GET\r\nContent-Length: 0\r\n",
        "GET / HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\n",
        "GET / HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer x\r\nAuthorization: AWS test:x\r\n",
        "GET / HTTP/1.1\r\nHost: {host}\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"
        "HTTP2-Settings: AAMAAABkAAQAAP__\r\n",
        "GET / HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        "GET / HTTP/1.0\r\n",
        "GET /?AWSAccessKeyId=test HTTP/1.1\r\nHost: {host}\r\n",
        "GET /_ministack/health HTTP/1.1\r\nHost: {host}\r\nContent-Length: 53\r\nTransfer-Encoding: chunked\r\n",
    ],
)
def test_nothing_is_smuggled_past_the_guard(variables: dict[str, str], head: str) -> None:
    hidden = b"0\r\n\r\nPOST /_ministack/reset HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SAGEMAKER", "AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING"):
        server = urlsplit(variables[name])
        with socket.create_connection((server.hostname or "", server.port or 0), timeout=2) as connection:
            connection.sendall(head.format(host=server.netloc).encode() + b"\r\n" + (hidden if "chunked" in head else b""))
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            # A connection that was upgraded stays open.
            with suppress(TimeoutError):
                while received := connection.recv(65536):
                    answer += received
        for line in answer.split(b"\r\n"):
            if line.startswith(b"HTTP/1.1 200"):
                assert b"/_ministack/health" in head.encode(), answer
        assert b"ListAllMyBucketsResult" not in answer
        assert b'"reset"' not in answer


@pytest.mark.usefixtures("_unchanged")
def test_http_2_gets_no_further(variables: dict[str, str]) -> None:
    url = variables["AWS_ENDPOINT_URL"]

    def answered(method: str, path: str, **headers: str) -> int:
        with httpx.Client(http1=False, http2=True, trust_env=False, timeout=5) as http:
            try:
                return http.request(method, url + path, headers=headers).status_code
            except httpx.RemoteProtocolError:
                return 0  # hypercorn ends the connection when more of a request comes after its answer

    assert answered("GET", "/_ministack/health") == 200
    assert answered("GET", "/") == 403
    assert answered("GET", "/_ministack/health", origin="https://evil.example") == 403
    assert answered("GET", "/_ministack/health", host="evil.example") in (0, 403)
    assert answered("POST", "/_ministack/reset") in (0, 403)


def test_the_health_of_all_servers_may_be_looked_at(variables: dict[str, str]) -> None:
    for name, path in (
        ("AWS_ENDPOINT_URL", "/_ministack/health"),
        ("AWS_ENDPOINT_URL_SAGEMAKER", "/ping"),
        ("AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING", "/ping"),
    ):
        assert send(variables[name], Call("s3", "GET", path, {}))[0] == 200


def test_a_token_is_taken_by_routes_with_a_jwt_authorizer_only_and_is_verified(
    stack: LocalStack, variables: dict[str, str]
) -> None:
    session = boto3.Session(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"], region_name="us-east-1")
    gateway = session.client("apigatewayv2", endpoint_url=variables["AWS_ENDPOINT_URL"])
    api = gateway.create_api(Name="tokens", ProtocolType="HTTP")["ApiId"]
    gateway.create_stage(ApiId=api, StageName="$default")
    authorizer = gateway.create_authorizer(
        ApiId=api,
        Name="jwt",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": "http://127.0.0.1:9/none", "Audience": ["a"]},
    )["AuthorizerId"]
    gateway.create_route(ApiId=api, RouteKey="GET /jwt", AuthorizationType="JWT", AuthorizerId=authorizer)
    gateway.create_route(ApiId=api, RouteKey="GET /none")

    def asked(path: str, authorization: str) -> tuple[int, bytes]:
        call = Call("execute-api", "GET", f"/_aws/execute-api/{api}{path}", {})
        status, _, body = send(variables["AWS_ENDPOINT_URL"], call, authorization=authorization)
        return status, body

    assert asked("/jwt", "Bearer abc.def.ghi") == (401, json.dumps({"message": "Unauthorized"}).encode()), "MiniStack's answer"
    assert b"Missing Authentication Token" in asked("/none", "Bearer abc.def.ghi")[1]
    assert b"Missing Authentication Token" in asked("/jwt", "Basic abc")[1]
    gateway.delete_api(ApiId=api)
