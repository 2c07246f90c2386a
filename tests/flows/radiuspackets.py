"""RADIUS accounting packets as a NAS makes them, for tests."""

from ipaddress import IPv4Address

from btimd.flows.radius import build_request

SECRET = b"s3cret-of-tests"


def attribute(kind: int, value: bytes) -> bytes:
    """Return an attribute."""
    return bytes((kind, len(value) + 2)) + value


def attributes(person: str, session: str, address: str | None, status: int) -> bytes:
    """Return the attributes of a request of the NAS 198.51.100.1."""
    found = attribute(40, status.to_bytes(4)) + attribute(4, IPv4Address("198.51.100.1").packed)
    found += attribute(1, person.encode()) + attribute(44, session.encode())
    return found + (attribute(8, IPv4Address(address).packed) if address else b"")


def start(
    person: str, session: str, address: str | None, *, more: bytes = b"", identifier: int = 1, status: int = 1
) -> bytes:
    """Return an Accounting-Request."""
    return build_request(identifier, attributes(person, session, address, status) + more, SECRET)
