"""Reading a labelled dataset in blocks, splitting it, and preparing it for training."""
