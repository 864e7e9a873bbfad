"""Rasa custom actions, one a file. They choose which reply is said; the words are in ``domain.yml``."""
