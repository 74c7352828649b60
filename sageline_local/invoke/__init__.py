"""One function by hand, as Lambda runs it, or the HTTP API from containers: ``make invoke`` and ``make api``."""
