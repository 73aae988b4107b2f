"""Order books by stream or by request."""
