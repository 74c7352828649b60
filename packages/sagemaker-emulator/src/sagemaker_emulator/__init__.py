"""SageMaker on one machine: the part of the service that Sageline uses, on SageMaker's own wire protocol."""
