"""Columns of text, matrices, and text read as numbers: whole arrays, by numpy alone."""
