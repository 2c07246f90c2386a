"""Diagnosis: from a symptom to its root cause."""
