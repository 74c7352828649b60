"""What every engine's programs have in common: ``training`` and ``serving``."""
