"""The kinds of checks for the rest of the world: plugins of other monitoring systems, exporters of metrics."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from btimd.model.service import CheckKind
from btimd.probes.kinds import KindSpec

KINDS: Final[Mapping[CheckKind, KindSpec]] = MappingProxyType({})
