"""A run's objects in S3: the dataset that is read, and what is written while it streams."""
