"""What a run may cost at most, and what its jobs did cost. Standard library only."""
