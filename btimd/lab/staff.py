"""The people of the laboratory who are sent to work: what each knows, and their tokens for the daemon."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

CENTRE: Final = "centre"
"""Name of the token that watches over all work."""
_SECRET_OCTETS: Final = 32


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the staff. skills: 0 to 1 by class of work."""

    id: str
    name: str
    name_zh: str
    language: str
    group: str
    skills: Mapping[str, float]


MEMBERS: Final = (
    Member("li.na", "Li Na", "李娜", "zh", "databases", {"database": 0.9}),
    Member("sun.yu", "Sun Yu", "孙宇", "en", "databases", {"database": 0.5}),
    Member("wang.wei", "Wang Wei", "王伟", "zh", "systems", {"server": 0.9, "network": 0.8, "facility": 0.6}),
    Member("chen.jie", "Chen Jie", "陈杰", "en", "systems", {"server": 0.6, "network": 0.9}),
    Member("zhao.min", "Zhao Min", "赵敏", "zh", "applications", {"application": 0.9, "middleware": 0.8}),
    Member("liu.fang", "Liu Fang", "刘芳", "zh", "applications", {"application": 0.6, "middleware": 0.9}),
)
_GROUPS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "databases": ("database",),
        "systems": ("server", "network", "facility", "shared"),
        "applications": ("application", "middleware"),
    }
)
"""Groups, and the classes of work that come to each of them first."""


def _fresh_secrets() -> Mapping[str, str]:
    return {name: secrets.token_urlsafe(_SECRET_OCTETS) for name in (CENTRE, *(one.id for one in MEMBERS))}


@dataclass(frozen=True, slots=True)
class Staff:
    """Who is there to be sent. tokens: the secret of each, and of CENTRE."""

    tokens: Mapping[str, str] = field(default_factory=_fresh_secrets, repr=False)

    @staticmethod
    def member(person: str) -> Member | None:
        """Return who has an id."""
        return next((one for one in MEMBERS if one.id == person), None)

    def people_tables(self) -> dict[str, dict[str, Any]]:
        """Return the tables of people.toml: nobody has a rota, so all are there at any time."""
        tables: dict[str, dict[str, Any]] = {}
        for one in MEMBERS:
            tables[f'person."{one.id}"'] = {
                "name": one.name, "name_zh": one.name_zh, "language": one.language, "groups": {one.group: 1},
                "skills": dict(one.skills),
            }  # fmt: skip
        for group, classes in _GROUPS.items():
            others = [other for other in _GROUPS if other != group]
            tables[f"group.{group}"] = {"name": group.capitalize()}
            tables[f"path.{group}"] = {"levels": tuple({"group": name} for name in (group, *others))}
            for name in classes:
                tables[f"class.{name}"] = {"path": group}
        tables["class.default"] = {"path": "systems"}
        return tables

    def token_tables(self) -> list[dict[str, str]]:
        """Return the [[token]] tables: digests only."""
        return [
            {
                "name": name,
                "role": "manager" if name == CENTRE else "handler",
                "sha256": hashlib.sha256(secret.encode()).hexdigest(),
            }
            for name, secret in self.tokens.items()
        ]
