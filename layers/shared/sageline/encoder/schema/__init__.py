"""What rows a model takes, for programs."""
