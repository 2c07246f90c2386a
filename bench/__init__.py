"""Measurements: each checks its result against a truth computed in another way, and prints what it measured on."""
