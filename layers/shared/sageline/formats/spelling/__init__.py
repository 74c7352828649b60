"""How numbers are written into text that a container reads."""
