"""What a stack has left behind, found by its tags and removed."""
