"""A run's record, its documents, its events and payloads: what every state reads or writes."""
