"""What the HTTP API does besides predicting: uploads, runs, endpoints."""
