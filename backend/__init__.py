"""The city's side: HTTP API, device server, database, workers."""
