"""A durable queue of downloads and the engine that fetches them; knows no series and no users."""
