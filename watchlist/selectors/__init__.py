"""Typed read models for the pages and the API; they write nothing."""
