"""The training scripts that Sageline brings. Their folders go into archives; nothing here is imported."""
