"""The tokens of callers: where they are written, how they are read, and what is wrong with them.

A token is 256 random bits; files hold its SHA-256 only, which is enough for something that cannot be guessed.
"""

import os
import re
import secrets
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from btimd.api.auth import Role, Scope, Token, digest_of
from btimd.settings.fields import read_secret
from btimd.settings.report import did_you_mean

LOCAL_TOKEN_NAME: Final = "local"  # noqa: S105  the name of a token, not a token
TOKEN_FILE_NAME: Final = "token"  # noqa: S105  the name of a file, not a token
ROLES: Final[Mapping[str, Role]] = {role.name.lower(): role for role in Role}
ITSELF: Final = "btimd"
"""The actor of what happens by itself; nobody may pass for it."""
_OLD_ROLES: Final = {"operator": Role.HANDLER}
"""Names of roles that files of earlier versions hold."""
_NEEDED: Final = frozenset({"name", "role", "sha256"})
_POSSIBLE: Final = _NEEDED | {"person", "businesses", "regions", "desk"}
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MOST_NAMES: Final = 1000
_MOST_CHARACTERS: Final = 200


def load_tokens(path: Path) -> tuple[Token, ...]:
    """Return the tokens of a file; raises ValueError with every mistake: the file, the entry and what to do.

    The file holds [[token]] tables with name, role (viewer, reporter, handler, manager) and sha256 (64 hex digits), and
    where wanted person, businesses, regions and desk.
    """
    try:
        parsed = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}; put the tokens there or remove tokens_file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no TOML: {error}") from error
    entries = parsed.pop("token", [])
    if parsed or not isinstance(entries, list) or not entries:
        raise ValueError(f"{path}: wanted one or more [[token]] tables with name, role and sha256, and nothing else")
    found: list[Token] = []
    faults: list[str] = []
    for number, entry in enumerate(entries, 1):
        where = f"{path}: token {number}"
        wrong = list(_faults(entry))
        if isinstance(entry, dict) and isinstance(entry.get("name"), str):
            where += f" ({entry['name']})"
        if not wrong:
            token = _token(entry)
            known = {one.name for one in found}, {one.sha256 for one in found}
            if token.name in known[0] or token.sha256 in known[1]:
                wrong.append("its name or its sha256 is there twice; remove one of the entries")
            found.append(token)
        faults += [f"{where}: {fault}" for fault in wrong]
    if faults:
        raise ValueError("\n".join(faults))
    return tuple(found)


def _faults(entry: Any) -> Iterator[str]:
    """Yield what is wrong with an entry."""
    if not isinstance(entry, dict) or not entry.keys() >= _NEEDED:
        yield "wanted a table with name, role and sha256"
        return
    for key in sorted(entry.keys() - _POSSIBLE):
        yield f"unknown key {key!r}" + did_you_mean(key, _POSSIBLE)
    name, role, sha256 = entry["name"], entry["role"], entry["sha256"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        yield f"name {name!r}: 1 to 64 letters, digits and . _ @ - are allowed"
    known = isinstance(role, str) and role in ROLES.keys() | _OLD_ROLES.keys()
    if not known:
        yield f"role {role!r} is none of {', '.join(ROLES)}"
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        yield f"sha256 is not 64 hex digits; make one with: btimctl token {name}"
    yield from _person_faults(name, entry.get("person", "x"))
    for key in ("businesses", "regions"):
        yield from _name_faults(key, entry.get(key, ["x"]))
    desk = entry.get("desk", False)
    if not isinstance(desk, bool):
        yield "desk is true or false"
    elif desk and known and _role(entry) < Role.HANDLER:
        yield f"desk = true with role {role} changes nothing; give it role handler"


def _person_faults(name: object, person: object) -> Iterator[str]:
    if not _is_name(person):
        yield "person is no id of people.toml; write it in quotes, or leave it out where it is the name"
    if ITSELF in (name, person):
        yield f"{ITSELF} is btimd itself in timelines; name somebody else"


def _name_faults(key: str, given: object) -> Iterator[str]:
    if not isinstance(given, list) or not all(map(_is_name, given)):
        yield f'{key} is no list of names; write {key} = ["..."], or leave it out for all'
    elif not 1 <= len(given) <= _MOST_NAMES:
        yield f"{key} has {len(given)} names; write 1 to {_MOST_NAMES}, or leave it out for all"


def _is_name(given: object) -> bool:
    return isinstance(given, str) and bool(given.strip()) and len(given) <= _MOST_CHARACTERS and given.isprintable()


def _role(entry: Mapping[str, Any]) -> Role:
    return ROLES.get(entry["role"]) or _OLD_ROLES[entry["role"]]


def _token(entry: Mapping[str, Any]) -> Token:
    return Token(
        name=entry["name"],
        role=_role(entry),
        sha256=bytes.fromhex(entry["sha256"]),
        person=entry.get("person", ""),
        scope=Scope(frozenset(entry.get("businesses", ())), frozenset(entry.get("regions", ()))),
        desk=entry.get("desk", False),
    )


def token_notes(
    tokens: Sequence[Token], *, persons: Collection[str], businesses: Collection[str], regions: Collection[str]
) -> list[str]:
    """Return what tokens name and the configuration does not know; such a token works, but there it sees nothing."""
    notes = []
    for token in tokens:
        unknown = [("person", name, persons) for name in [token.person] if name and name not in persons]
        unknown += [("business", name, businesses) for name in sorted(token.scope.businesses - set(businesses))]
        unknown += [("region", name, regions) for name in sorted(token.scope.regions - set(regions))]
        notes += [
            f"token {token.name}: there is no {what} {name!r}{did_you_mean(name, of)}" for what, name, of in unknown
        ]
    return notes


def local_token(state_directory: Path) -> Token:
    """Return the token of role manager that lies in the state directory; it is made there at the first start."""
    path = state_directory / TOKEN_FILE_NAME
    try:
        state_directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if not state_directory.is_dir():
            raise ValueError(f"{state_directory} is no directory; remove it or name another state_directory") from None
        return Token(LOCAL_TOKEN_NAME, Role.MANAGER, digest_of(read_secret(path)))
    except OSError as error:
        raise ValueError(f"cannot make {path}: {error.strerror}; check the state directory and its owner") from error
    secret = secrets.token_urlsafe(32).encode()
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return Token(LOCAL_TOKEN_NAME, Role.MANAGER, digest_of(secret))
