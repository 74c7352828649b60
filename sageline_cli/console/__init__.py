"""The console: pages on 127.0.0.1 that show a stack and work with it, by the credentials of the person who started it."""
