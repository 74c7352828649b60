"""Hyperparameter tuning jobs: requests, search, trials as real training jobs, early stopping."""
