"""Sageline on one machine: MiniStack for AWS, ``local.sagemaker`` for SageMaker, the same template as in AWS."""
