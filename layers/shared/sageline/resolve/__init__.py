"""The spec resolved against the data: what it leaves open is chosen, and what does not fit is refused."""
