"""Intake of reports: mail, and what other channels heard, read, classified, kept, and handed on."""
