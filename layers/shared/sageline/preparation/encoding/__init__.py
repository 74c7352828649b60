"""Encoding the rows of a dataset, once everything is fitted to them."""
