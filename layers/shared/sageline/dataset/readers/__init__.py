"""Reading a dataset in blocks: CSV, JSON Lines and npz, and finding out how a file is written."""
