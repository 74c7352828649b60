"""Sageline: upload a labelled dataset, get a prediction API."""

__version__ = "0.2.0"
