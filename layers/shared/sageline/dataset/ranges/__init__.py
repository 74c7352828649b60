"""Reading a dataset in ranges, each by itself: its parts are cut into shards, which give the rows that one reading gives."""
