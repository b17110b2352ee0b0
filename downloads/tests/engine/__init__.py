"""Tests of the download engine against real loopback servers."""
