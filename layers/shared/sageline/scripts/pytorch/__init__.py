"""What is added to the archive of a user's script for the PyTorch container."""
