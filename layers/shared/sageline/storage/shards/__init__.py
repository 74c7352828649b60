"""What functions that each work on a shard of the same data leave for each other, and how they read it."""
