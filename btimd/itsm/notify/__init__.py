"""Notification: who is told of an order, by which means, in which words, and what came of it."""
