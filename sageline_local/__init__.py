"""Sageline on one machine: MiniStack for AWS, ``sagemaker_emulator`` for SageMaker, the same template as in AWS."""
