"""From raw rows to what an algorithm trains on and an endpoint takes, and from its answers back to labels.

Training and serving use this same code and the same saved state. numpy and the standard library only.
"""
