"""The HTTP API: parse, call one service or selector, answer; one file for each resource."""
