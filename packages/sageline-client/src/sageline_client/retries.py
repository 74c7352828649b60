"""Sending a request again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_before_delay, wait_random_exponential

from sageline_client.errors import ApiError, NotReady, TooManyRequests, Unreachable

T = TypeVar("T")

# Each wait is drawn from 0 to twice the limit of the one before: clients that were refused together do not come back together.
_BACKOFF = wait_random_exponential(multiplier=0.5, max=20)


@dataclass(frozen=True)
class Retries:
    """How long a request is sent again: after 429, 503, and a connection that failed.

    Between two tries are at least the seconds of ``Retry-After``. What may have been done already is sent again only where twice
    is the same as once; starts of runs come with an ``Idempotency-Key`` and are.

    Attributes:
        seconds: after the first try in which another may begin; 0 sends once.
        after_no_answer: whether the API is asked again that was not reached or did not answer in time.
        on_retry: is told what went wrong and for how many seconds is waited, before each wait.
    """

    seconds: float = 60.0
    after_no_answer: bool = True
    on_retry: Callable[[ApiError, float], None] | None = None

    def call(self, send: Callable[[], T], *, repeatable: bool) -> T:
        """What ``send`` returns at last.

        Args:
            repeatable: whether the request may be done twice.

        Raises:
            ApiError: of the last try.
        """
        retrying = Retrying(
            retry=retry_if_exception(lambda error: self._is_worth_another(error, repeatable=repeatable)),
            wait=_wait,
            stop=stop_before_delay(self.seconds),
            before_sleep=self._tell,
            reraise=True,
        )
        return retrying(send)

    def _is_worth_another(self, error: BaseException, *, repeatable: bool) -> bool:
        match error:
            case TooManyRequests():
                return True
            case NotReady():
                return repeatable
            case Unreachable():
                return self.after_no_answer and (repeatable or not error.was_sent)
        return False

    def _tell(self, state: RetryCallState) -> None:
        error = _error_of(state)
        if self.on_retry is not None and isinstance(error, ApiError):
            self.on_retry(error, state.upcoming_sleep)


def _wait(state: RetryCallState) -> float:
    error = _error_of(state)
    asked = error.retry_after if isinstance(error, ApiError) else None
    return max(float(asked or 0), _BACKOFF(state))


def _error_of(state: RetryCallState) -> BaseException | None:
    return None if state.outcome is None else state.outcome.exception()
