"""How Redis is reached, and under which keys and in which form everything is kept there."""
