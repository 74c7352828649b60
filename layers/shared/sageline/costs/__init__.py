"""What a run may cost at most, and what its jobs have cost. Standard library only."""
