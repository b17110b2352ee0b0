"""Management commands of the downloads app."""
