"""Names and ids of proposals: made of ports and addresses, or of names of servers that somebody gave."""

import re
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from typing import Final

from btimd.flows.portnames import port_name

_LONGEST_ID: Final = 48
_NOT_IN_ID: Final = re.compile(r"[^A-Za-z0-9_-]+")
_DIGITS: Final = re.compile(r"\d+$")


def named(
    ports: Sequence[int], texts: Sequence[str], servers: Sequence[str], names: Mapping[str, str]
) -> tuple[str, str]:  # fmt: skip
    """Return a label for the id, and a name, of what listens on these ports of these servers.

    ports: the port of each end point; texts: the ports as written; servers: addresses, ascending; names: of addresses.
    """
    counted = Counter(name for port in ports if (name := port_name(port).name))
    what = max(counted, key=lambda name: (counted[name], -list(counted).index(name))) if counted else f"port-{texts[0]}"
    where = [names.get(server, server).partition(".")[0] if server in names else server for server in servers]
    rest = f" and {len(where) - 3} more" if len(where) > 3 else ""  # noqa: PLR2004  as many as fit a line
    common = _common(where) if len(where) > 1 and all(server in names for server in servers) else where[0]
    return f"{what}-{common}", f"{what} {', '.join(texts[:4])} on {', '.join(where[:3])}{rest}"


def new_id(label: str, taken: Container[str]) -> str:
    """Return an id that is not taken, letters and digits and dashes only; nor is it with -servers or -traffic."""
    base = _NOT_IN_ID.sub("-", label).strip("-")[:_LONGEST_ID] or "service"
    if not base[0].isalnum():
        base = f"s{base}"
    number, found = 1, base
    while any(one in taken for one in (found, f"{found}-servers", f"{found}-traffic")):
        number += 1
        found = f"{base}-{number}"
    return found


def _common(names: Sequence[str]) -> str:
    """Return what numbered names have in common ("web1", "web2" -> "web"), else the first."""
    stems = {_DIGITS.sub("", name) for name in names}
    return stems.pop() or names[0] if len(stems) == 1 else names[0]
