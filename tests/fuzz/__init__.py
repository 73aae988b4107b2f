"""Inputs that are wrong in as many ways as we can think of, drawn from a seed."""
