"""Compiled loops over arrays. Each takes arrays and scalars, writes into arrays it was given, returns an integer."""
