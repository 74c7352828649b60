"""States that wait with a task token: looking at what they wait for, and answering."""
