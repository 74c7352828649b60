"""How good Sageline's models are beside what people would use otherwise: ``make quality``."""
