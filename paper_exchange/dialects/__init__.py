"""The HTTP APIs of the exchanges; the engine does not depend on them."""
