"""Where the servers of SageMaker's containers listen, as seen from inside."""

CONTAINER_PORT = 8080
