"""Models of training jobs: the protected copy of the artifact, and what is made of it."""
