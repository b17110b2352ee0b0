"""The shapes of requests and answers: what is validated, and what the OpenAPI schema says."""
