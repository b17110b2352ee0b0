"""Video hosts: how a player page or a direct address becomes streams. Plain Python."""
