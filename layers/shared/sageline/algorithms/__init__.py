"""What Sageline knows of each SageMaker algorithm."""
