"""What the tests of serving share: encoders, routing, and an endpoint whose answers a test says."""

from __future__ import annotations

import functools
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.response import StreamingBody

from sageline.encoder.fitted import FittedEncoder
from sageline.runs.routing import RoutedVariant, Routing
from sageline.serving.request import PredictionRequest
from sageline.serving.rows import Instances
from tests.unit.encoder.encoders import table
from tests.unit.sessions import sagemaker_client, session
from tests.unit.world.fake_aws import FakeAws
from tests.unit.world.fake_sagemaker import Refused

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

BUCKET = "sageline-data"
OLD = "wines-20261119100000-0a1b2c"
NEW = "wines-20261120100000-0a1b2c"
CLASSES = ["merlot", "pinot", "riesling"]
ROW = {"alcohol": 13.5, "colour": "red"}
ENCODED = b"13.5,1,0\n"  # by :func:`encoder`


def encoder(classes: list[str] | None = CLASSES, colours: tuple[str, ...] = ("red", "white")) -> FittedEncoder:
    """Encodes ``{"alcohol": number, "colour": category}``."""
    columns = {"alcohol": "number", "colour": "category"}
    task = "regression" if classes is None else "classification"
    return FittedEncoder(task, columns, "grape", classes, table({"alcohol": None, "colour": list(colours)}))


def variant(name: str, weight: float, *, serverless: bool = False) -> RoutedVariant:
    return RoutedVariant(
        name=name,
        weight=weight,
        model_version=name,
        model_name=name,
        encoder_uri=f"s3://{BUCKET}/runs/{name}/encoder/",
        content_type="text/csv",
        endpoint_config=name,
        serverless=serverless,
    )


def put_routing(s3: S3Client, *variants: RoutedVariant, endpoint: str = "wines") -> None:
    document = Routing(endpoint, variants, "2026-11-20T10:00:00.000Z").dump()
    s3.put_object(Bucket=BUCKET, Key=f"endpoints/{endpoint}/routing.json", Body=document)


def put_encoder(s3: S3Client, run_id: str, fitted: FittedEncoder) -> None:
    for name, content in fitted.save().items():
        s3.put_object(Bucket=BUCKET, Key=f"runs/{run_id}/encoder/{name}", Body=content)


@functools.cache
def runtime_client() -> SageMakerRuntimeClient:
    return session().client("sagemaker-runtime")


class SageMaker:
    """Endpoint ``wines`` and what each variant of it answers to which request. Asked for anything else, it is a failure."""

    def __init__(self) -> None:
        self.client = sagemaker_client()
        self.runtime = runtime_client()
        self.aws = FakeAws(more={"sagemaker-runtime": self})
        self._outcomes: list[tuple[dict[str, object], dict[str, object] | Refused]] = []

    def answers(self, name: str, request: bytes, answer: bytes, *, answered_by: str | None = None, named: bool = False) -> None:
        """Variant ``name``, asked with ``request`` and, where it is one of several, by its name, answers ``answer``."""
        self.will_answer(self._asked(name, request, named), answer, answered_by=answered_by or name)

    def will_answer(
        self,
        asked: Mapping[str, object],
        answer: bytes,
        *,
        answered_by: str | None = NEW,
        content_type: str = "text/csv; charset=utf-8",
    ) -> None:
        """InvokeEndpoint with exactly these arguments answers ``answer``, once."""
        outcome = {"Body": StreamingBody(io.BytesIO(answer), len(answer)), "ContentType": content_type}
        self._outcomes.append((dict(asked), outcome | ({"InvokedProductionVariant": answered_by} if answered_by else {})))

    def refuses(self, name: str, request: bytes, code: str, message: str = "", *, named: bool = False) -> None:
        """Variant ``name``, asked as for :meth:`answers`, answers with an error, once."""
        self._outcomes.append((self._asked(name, request, named), Refused(code, message)))

    def describes(self, status: str, *, serverless: bool = False) -> None:
        """There is the endpoint, in this status."""
        variant: dict[str, Any] = {"VariantName": NEW}  # SageMaker's JSON
        if serverless:
            variant["CurrentServerlessConfig"] = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
        self.aws.sagemaker.run_endpoint("wines", status, variant)

    def may_not_be_described(self) -> None:
        self.aws.sagemaker.refuse["DescribeEndpoint"] = Refused("AccessDeniedException", "")

    def check_asked(self) -> None:
        """Whatever a test says is answered has been asked for: what a variant gets is what its encoder makes."""
        assert self._outcomes == []

    def invoke_endpoint(self, request: Mapping[str, object]) -> dict[str, object]:
        """As InvokeEndpoint answers."""
        expected = next((item for item in self._outcomes if item[0] == request), None)
        assert expected is not None, f"{request} is asked, and only these have answers: {[asked for asked, _ in self._outcomes]}"
        self._outcomes.remove(expected)
        outcome = expected[1]
        if isinstance(outcome, Refused):
            raise outcome
        return outcome

    @staticmethod
    def _asked(name: str, request: bytes, named: bool) -> dict[str, object]:
        asked: dict[str, object] = {"EndpointName": "wines", "ContentType": "text/csv", "Accept": "text/csv", "Body": request}
        return asked | ({"TargetVariant": name} if named else {})


def asked(*instances: object, top_k: int = 1, session: str | None = None, strict: bool = False) -> PredictionRequest:
    return PredictionRequest(Instances(list(instances) or [ROW]), top_k, session, strict)
