"""What is done to a running stack: to its processes, its exchanges, its store and its messages."""
