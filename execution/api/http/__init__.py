"""One HTTP session for each client, which never retries a request by itself."""
