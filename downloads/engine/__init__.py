"""The download engine: plain Python, usable without Django. Imports only `providers` types and guard."""
