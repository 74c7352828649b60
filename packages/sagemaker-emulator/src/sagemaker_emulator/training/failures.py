"""Why a training job failed, in the words of DescribeTrainingJob's FailureReason."""

from __future__ import annotations

import signal

from sagemaker_emulator.errors import JobFailed


def algorithm_error(failure_text: str, exit_code: int) -> JobFailed:
    """What the container left in ``output/failure`` (or nothing), and its exit code; a signal's is 128 and its number."""
    if failure_text.startswith("ClientError: "):  # an engine of SageMaker's own algorithms says whose fault it was
        return JobFailed(f"{failure_text}, exit code: {exit_code}")
    if exit_code >= 0:
        return JobFailed(f"AlgorithmError: {failure_text}, exit code: {exit_code}")
    killed = f"The training process was ended by signal {-exit_code}"
    advice = " (most likely this machine ran out of memory)" if -exit_code == signal.SIGKILL else ""
    return JobFailed(f"AlgorithmError: {failure_text or killed + advice}, exit code: {128 - exit_code}")
