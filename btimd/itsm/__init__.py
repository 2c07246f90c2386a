"""Incidents: life cycle, priority, delivery."""
