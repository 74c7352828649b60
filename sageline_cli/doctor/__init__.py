"""``sageline doctor``: what would make a first run fail, found before it does."""
