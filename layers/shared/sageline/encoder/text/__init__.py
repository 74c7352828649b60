"""Documents to words and tokens."""
