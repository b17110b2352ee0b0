"""Tests of the whole: house rules, the supervisor on real processes, the product end to end."""
