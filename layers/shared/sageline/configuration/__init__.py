"""ConfigureRun: checks that all that a run needs exists, is allowed, and is within the limits."""
