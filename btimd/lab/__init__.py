"""A small enterprise on loopback, with faults on demand."""
