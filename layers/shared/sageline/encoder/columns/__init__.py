"""Tables: each column encoded as its kind is, the encoded columns side by side."""
