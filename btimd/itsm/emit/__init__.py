"""Delivery of incident events to other systems."""
