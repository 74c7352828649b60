"""The prediction use case: pick a variant, encode with its encoder, invoke it by name, decode."""

from __future__ import annotations

import bisect
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from sageline.encoder.fitted import FittedEncoder
from sageline.errors import InvalidRequest, PredictionFailed, RequestTooLarge
from sageline.runs.routing import RoutedVariant, Routing
from sageline.serving.answer import PredictionResponse
from sageline.serving.invoke import (
    MAX_SERVERLESS_BODY_BYTES,
    NoAnswerInTime,
    VariantGone,
    body_limit,
    explain_refusal,
    explain_silence,
    invoke_variant,
    serves,
)
from sageline.serving.request import PredictionRequest
from sageline.serving.rows import Instances
from sageline.serving.stored import EncoderCache, RoutingCache

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

_log = logging.getLogger(__name__)


class Predictor:
    """Answers raw instances. One object serves a whole process: it holds what was read from S3."""

    def __init__(
        self,
        *,
        routing: RoutingCache,
        encoders: EncoderCache,
        runtime: SageMakerRuntimeClient,
        sagemaker: Callable[[], SageMakerClient],
        new_session: Callable[[], str],
    ) -> None:
        """``sagemaker`` makes its client when first needed: most processes never do. ``new_session`` draws a random string."""
        self._routing = routing
        self._encoders = encoders
        self._runtime = runtime
        self._sagemaker = sagemaker
        self._new_session = new_session

    def predict(self, endpoint: str, request: PredictionRequest) -> PredictionResponse:
        """The answers of a variant that is picked by weight, always the same for one session.

        A variant that SageMaker no longer has is passed over, with the routing read again: what was read seconds ago may be two
        updates old, so that the first other variant may be gone too. Neither is a row refused by the columns of a model that does
        not serve any more. Where no variant is named, another than the one that was encoded for may answer: then who answers is
        picked anew, and called by name where there are several by now.

        Raises:
            EndpointNotFound, EndpointNotReady, EndpointFailed: nobody answers, and why.
            InvalidRequest: an instance does not fit the encoder, there are warnings although the request is strict, ``top_k``
                exceeds the classes, or a regression is asked for their probabilities.
            RequestTooLarge: the instances are too many, or encode to more than the endpoint takes.
            PredictionFailed, TooManyRequests: the model failed, or is overloaded.
            EndpointWarming: the model of a serverless endpoint is being started.
        """
        session = request.session or self._new_session()
        routing = self._routing.get(endpoint)
        left: Routing | None = routing
        gone: list[str] = []
        while left is not None:
            variant = left.pick(session)
            named = routing.is_named(variant)
            try:
                return self._ask(endpoint, variant, request, named=named)
            except VariantGone as error:
                _log.warning("Variant %s of endpoint %s is gone: %s", variant.name, endpoint, error)
                refusal = error
                gone.append(variant.name)
                routing = self._routing.get(endpoint, fresh=True)
                left = routing.without(*gone)
            except PredictionFailed as error:
                if named:
                    raise
                _log.warning("Variant %s of endpoint %s was not named: %s", variant.name, endpoint, error)
                routing = self._routing.get(endpoint, fresh=True)
                if not routing.is_named(variant):
                    gone.append(variant.name)
                left = routing.without(*gone)
                if left is None:
                    raise
            except InvalidRequest:
                routing = self._routing.get(endpoint, fresh=True)
                left = routing.without(*gone)
                if left is None or left.pick(session).name == variant.name:
                    raise
        raise explain_refusal(self._sagemaker(), endpoint, refusal)

    def routing(self, endpoint: str) -> Routing:
        """The endpoint's routing as it is now, not as it was some seconds ago."""
        return self._routing.get(endpoint, fresh=True)

    def encoder(self, variant: RoutedVariant) -> FittedEncoder:
        """The encoder that belongs to a variant."""
        return self._encoders.get(variant.encoder_uri)

    def ask(self, endpoint: str, variant: RoutedVariant, instances: list[object], top_k: int) -> PredictionResponse:
        """The answers of the variant that the caller asks for. Raises as :meth:`predict`."""
        named = self._routing.get(endpoint).is_named(variant)
        try:
            return self._ask(endpoint, variant, PredictionRequest(Instances(instances), top_k), named=named)
        except VariantGone as refusal:
            raise explain_refusal(self._sagemaker(), endpoint, refusal) from None

    def _ask(self, endpoint: str, variant: RoutedVariant, request: PredictionRequest, *, named: bool) -> PredictionResponse:
        encoder = self.encoder(variant)
        _check_options(request, encoder)
        rows = request.rows.for_encoder(encoder)
        warnings: list[str] = []
        body = encoder.body_of(rows.values, None if request.strict else warnings, rows.name)
        self._check_size(endpoint, encoder, rows, len(body))
        try:
            answer = invoke_variant(self._runtime, endpoint, variant, body, encoder.exchange, named=named)
        except NoAnswerInTime as silence:
            raise explain_silence(self._sagemaker(), endpoint, variant) from silence
        if answer.variant not in (None, variant.name):
            raise PredictionFailed(f"Variant {answer.variant} answered in place of {variant.name}; its answer cannot be decoded.")
        if answer.variant is None and not named and not self._is_only(endpoint, variant):
            raise PredictionFailed(f"Another variant may have answered in place of {variant.name}; its answer cannot be decoded.")
        predictions = encoder.decode(
            answer.body, answer.content_type, request.top_k, rows=len(rows.values), probabilities=request.probabilities
        )
        return PredictionResponse(predictions, endpoint, variant.name, variant.model_version, warnings)

    def _is_only(self, endpoint: str, variant: RoutedVariant) -> bool:
        """Whether nobody else can have answered just now: a deployment routes to its variant before it changes the endpoint."""
        routed = self._routing.get(endpoint, fresh=True)
        if routed.variant(variant.name) is None:
            return False
        return len(routed.variants) == 1 or serves(self._sagemaker(), endpoint, variant)

    def _check_size(self, endpoint: str, encoder: FittedEncoder, rows: Instances, size: int) -> None:
        if size <= MAX_SERVERLESS_BODY_BYTES:
            return
        limit = body_limit(self._sagemaker(), endpoint)
        if size <= limit:
            return

        instances = rows.values

        def size_of_first(count: int) -> int:
            return len(encoder.body_of(instances[:count], []))

        fitting = bisect.bisect_right(range(1, len(instances)), limit, key=size_of_first)
        advice = f"The first {fitting:,} would fit." if fitting else "Even the first alone does not fit."
        raise RequestTooLarge(
            f"The {len(instances):,} instances encode to {size:,} bytes; endpoint {endpoint} takes at most {limit:,}. {advice}",
            max_bytes=limit,
            max_instances=fitting,
        )


def _check_options(request: PredictionRequest, encoder: FittedEncoder) -> None:
    if request.probabilities and encoder.classes is None:
        raise InvalidRequest(
            "`probabilities` are those of classes; the model predicts a number, so leave it out.", key="probabilities"
        )
    top_k, most = request.top_k, 1 if encoder.classes is None else len(encoder.classes)
    if top_k > most:
        known = "the model predicts a number, so leave it out" if encoder.classes is None else f"the model knows {most} classes"
        raise InvalidRequest(f"`top_k` is {top_k}; {known}.", key="top_k", max=most)
