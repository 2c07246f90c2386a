"""KindSpec: all that btimd knows of a kind of check; the families of kinds register theirs in the catalogue."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, TypeAlias

from btimd.model.service import Check, Closure
from btimd.probes.wire.dialogue import Dialogue

SECRET_SUFFIX: Final = "_file"  # noqa: S105  the end of a name
"""An option whose name ends so names a file; what is in it goes to the builder as a secret of the name before it."""


@dataclass(frozen=True, slots=True)
class Errand:
    """A probe that is more than one dialogue on one socket (a path, a plugin, SNMP); its runner knows its subclass."""


PUBLIC_FILES: Final = frozenset({"ca_file"})
"""Options that name files which anybody may read."""


Secrets: TypeAlias = Mapping[str, str]
"""What files hold: of the option password_file, the content by the name "password", without the line's end."""

Build: TypeAlias = Callable[[Check, int, Secrets], Dialogue | Errand]
"""Makes the dialogue or errand of a check; raises ValueError, in words for the operator, where options make no sense.

The number is 64 bits of chance that tell the probe's answers from others'.
"""


def only_the_host(check: Check) -> tuple[str, ...]:
    """Return whom most checks send something to."""
    return (check.host,)


@dataclass(frozen=True, slots=True)
class KindSpec:
    """What a check of a kind is worth unless its table says otherwise, and how it is built.

    cost: relative load on the target, 1 = an echo. heavy: counts against the heavy budget of its server. options:
    their names and, for the documentation, their meanings. default_port: 0 = the operator must say (needs_port) or
    there is none. hosts: whom it sends something to. outcomes: what single errors tell, by the error's value, where
    it is more than the word says.
    """

    cost: float
    closure: Closure
    build: Build
    heavy: bool = False
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    default_port: int = 0
    needs_port: bool = False
    hosts: Callable[[Check], tuple[str, ...]] = only_the_host
    outcomes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def secrets(self) -> tuple[str, ...]:
        """The options that name files with secrets."""
        return tuple(name for name in self.options if name.endswith(SECRET_SUFFIX))
