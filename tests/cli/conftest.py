"""A served API over the fakes, for the commands that ask it."""

from tests.api.conftest import served

__all__ = ["served"]
