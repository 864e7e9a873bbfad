"""Speed, memory and size of Hipwise beside stock Rasa: ``python -m benchmarks.performance``."""
