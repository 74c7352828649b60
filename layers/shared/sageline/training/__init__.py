"""Starting a training or tuning job: its plan, its request, its role, its script."""
