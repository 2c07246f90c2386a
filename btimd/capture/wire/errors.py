"""WireError: what is wrong with bytes that others sent."""


class WireError(Exception):
    """A datagram or a part of it that cannot be decoded: who sent it, where it is wrong, and how."""

    def __init__(self, *, exporter: str, domain: int, template: int, offset: int, reason: str) -> None:
        super().__init__(f"{exporter} domain {domain} template {template} octet {offset}: {reason}")
        self.exporter = exporter
        self.domain = domain
        self.template = template
        self.offset = offset
        self.reason = reason
