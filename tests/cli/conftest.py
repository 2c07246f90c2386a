"""A served API over the fakes, for the commands that ask it, and the width that a pipe has."""

import pytest

from tests.api.conftest import served

__all__ = ["served"]


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)  # whoever runs the tests may have set it
