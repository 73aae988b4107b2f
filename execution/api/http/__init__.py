"""One HTTP session for each client, which never repeats a request by itself."""
