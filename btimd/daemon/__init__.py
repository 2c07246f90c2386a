"""Wiring and life of the whole."""
