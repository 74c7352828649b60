"""ConfigureRun: is all that a run needs there, allowed, and within the limits."""
