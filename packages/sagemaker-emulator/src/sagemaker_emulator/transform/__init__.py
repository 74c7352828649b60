"""Transform jobs: a model's answers for every object below a prefix of S3, without an endpoint."""
