"""The pure values and rules of trading. Does not import other packages of execution."""
