"""What an inspection says."""
