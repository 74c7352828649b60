"""Preparing a dataset in shards, each in a function of its own: plan, scan, fit, merge, encode."""
