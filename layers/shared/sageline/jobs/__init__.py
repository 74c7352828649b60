"""SageMaker's jobs, once they are started: how they came out, their trials, their log lines, stopping them."""
