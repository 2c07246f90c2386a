"""What was posted to btimd by HTTP, and what it is answered: the seam between the listener and those who understand."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Posted:
    """A request. name: the last part of its path. headers: names in lower case. Body and headers may hold secrets."""

    name: str
    headers: Mapping[str, str] = field(repr=False)
    query: Mapping[str, str] = field(repr=False)
    content_type: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PostAnswer:
    """What to answer."""

    status: int = 200
    text: str = "ok"


TakePost: TypeAlias = Callable[[Posted], Awaitable[PostAnswer]]
