"""Bytes to batches, pure: one file per protocol."""
