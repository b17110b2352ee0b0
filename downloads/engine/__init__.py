"""The download engine; plain Python, imports only types and the guard of `providers`."""
