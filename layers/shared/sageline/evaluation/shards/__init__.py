"""Evaluation of large test sets by many functions: what is cut, what each does, and how it is merged."""
