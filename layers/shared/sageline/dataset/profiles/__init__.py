"""What the profile of a dataset is made of beside its columns: counts with examples, and what a sample has found."""
