"""InvokeEndpointAsync: requests that wait in a queue, and whose answers go to S3."""
