"""Candidates of a run of several algorithms: validating each, choosing one."""
