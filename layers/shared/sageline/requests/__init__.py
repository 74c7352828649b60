"""Arguments for boto3's SageMaker client, built from values: no I/O, nothing to fake in a test."""
