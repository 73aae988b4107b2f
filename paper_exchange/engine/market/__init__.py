"""One symbol's market: book, prices, stops, liquidity."""
