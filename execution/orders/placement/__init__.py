"""Gets one order to the exchange, once: its attempts, and what became of them."""
