"""What a person would use otherwise, on the same train and test rows."""
