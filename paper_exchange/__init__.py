"""A local exchange: it speaks real HTTP APIs, matches orders, and misbehaves on request.

Nothing imports this package; it runs as a process of its own and is reached by URL. `engine`
implements trading without HTTP, a dialect package (`binance`) implements one exchange's HTTP API,
and the other modules connect the two: the server, the faults and the control calls.
"""
