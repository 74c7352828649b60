"""SageMaker on one machine: real training, tuning, batch transform and endpoints, on SageMaker's own wire protocol."""
