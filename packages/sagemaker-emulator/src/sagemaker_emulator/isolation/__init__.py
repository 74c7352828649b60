"""Containers without a network of the machine's and without its files: Linux namespaces, where the machine has them.

``machine`` finds out what there is, and starts programs so; ``inside`` is what runs first in such a program; ``kernel`` has the
system calls.
"""
