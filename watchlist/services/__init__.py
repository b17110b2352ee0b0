"""All writes of this app: keyword-only verbs that raise domain errors."""
