"""A local exchange: it speaks real HTTP APIs, matches orders, and misbehaves on request.

Nothing imports this package; it is run as a process and reached by URL.
`engine` knows trading and no HTTP, a dialect package (`binance`) knows one exchange's HTTP API,
and the modules beside them join the two: the server, the faults and the control calls.
"""
