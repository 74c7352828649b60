"""Sageline: upload a labelled dataset, get a prediction API."""

__version__ = "0.1.0"
