"""Probe dialogues, pure: one file per protocol family."""
