"""Choosing a model's decision on its validation rows: calibration, and a threshold or offsets."""
