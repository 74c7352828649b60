"""The HTTP API as an OpenAPI document: made of the types that the routes take and answer, and served as it was made."""
