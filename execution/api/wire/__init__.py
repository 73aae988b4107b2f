"""Checks that a request carries what the journal says, before anything is sent."""
