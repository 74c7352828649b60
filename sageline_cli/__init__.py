"""The ``sageline`` command: submit datasets, follow runs, predict, delete; on AWS or on the local stack alike."""
