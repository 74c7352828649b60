"""The use cases of a run, one module each: what a state of the state machine does, apart from Lambda and the clock."""
