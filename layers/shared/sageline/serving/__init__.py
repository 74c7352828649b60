"""Predictions: raw input in, labels out. Imports neither pydantic nor anything else that slows a cold start."""
