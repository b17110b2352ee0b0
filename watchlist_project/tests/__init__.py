"""The tests of the wiring."""
