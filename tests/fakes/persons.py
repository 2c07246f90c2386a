"""A PersonsView in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from typing_extensions import override

from btimd.model.persons import PersonBinding, PersonSource, PersonSourceKind, PersonsView

BINDINGS = (
    PersonBinding(
        "10.0.0.1", "anna", "radius", PersonSourceKind.RADIUS, 1_790_000_000_000, 1_790_086_400_000, in_force=True
    ),
    PersonBinding("2001:db8::/64", "lab", "list", PersonSourceKind.LIST, None, None, in_force=True),
    PersonBinding("10.0.0.1", "anna-pc", "dhcp.hq", PersonSourceKind.DHCP, 1_790_000_000_000, None, in_force=False),
)
SOURCES = (
    PersonSource("macs", PersonSourceKind.MACS, "/etc/btimd/macs.csv", 0, 12, 0, 1_790_000_000_000, "", ""),
    PersonSource("dhcp.hq", PersonSourceKind.DHCP, "/var/lib/kea/kea-leases4.csv", 1, 40, 2, None, "cannot read it", "line 7: a lease"),
)  # fmt: skip


@dataclass
class FakePersons(PersonsView):
    """Answers with what it is given; `asked` holds what was asked."""

    bindings: Sequence[PersonBinding] = BINDINGS
    sources: Sequence[PersonSource] = SOURCES
    asked: list[tuple[str | None, int]] = field(default_factory=list)

    @override
    async def persons(self, match: str | None, limit: int) -> Sequence[PersonBinding]:
        self.asked.append((match, limit))
        return [one for one in self.bindings if match in {None, one.address, one.person}][:limit]

    @override
    def person_sources(self) -> Sequence[PersonSource]:
        return self.sources
