"""Training jobs: requests, life cycle, data in, process, artifacts out."""
