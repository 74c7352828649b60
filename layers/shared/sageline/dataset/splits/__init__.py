"""Splits by hash, time, group, or as the data say: where each row stands, and which channel that makes."""
