"""Measurements, each a command: ``python -m benchmarks.NAME``."""

from hipwise import processor

# Before any of them imports NumPy, as `hipwise` itself does.
processor.prepare()
