"""A large batch in shards: many functions encode its rows, and write their predictions."""
