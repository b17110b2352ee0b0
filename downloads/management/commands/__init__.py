"""`manage.py` commands; thin front ends of the engine."""
