"""The kinds of checks for databases."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from btimd.model.service import CheckKind
from btimd.probes.kinds import KindSpec

KINDS: Final[Mapping[CheckKind, KindSpec]] = MappingProxyType({})
