"""Tests, of which some are commands too: ``python -m tests.nlu.test_held_out``."""

from hipwise import processor

# Before any of them imports NumPy, as `hipwise` itself does. In conftest.py alone it left out those that run without pytest:
# the held-out messages took twice the time, most of it in threads that waited for each other.
processor.prepare()
