"""Models, endpoint configs, endpoints: requests, processes, invocations."""
