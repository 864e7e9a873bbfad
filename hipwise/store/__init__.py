"""Keeps conversations, answered messages, offered buttons and feedback."""
