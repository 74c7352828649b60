"""``make accept STACK=NAME``: the main job, a tuned run, a batch, a canary and the deletes in a real account, for under $2."""
