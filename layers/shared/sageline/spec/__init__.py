"""The spec: one JSON document that says what a run does, and its resolution against the data."""
