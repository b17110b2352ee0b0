"""The adapters, one site each; plain Python that imports nothing of the other sites."""
