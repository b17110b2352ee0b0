"""A durable queue of downloads and the engine that fetches them. Knows nothing of series or users."""
