"""The units that names in btimd end in.

A quantity carries its unit in its type or in its name; these aliases serve the first. They are aliases and not
new types, because columns of numpy numbers and single numbers meet in the same expressions.
"""

from typing import Final, TypeAlias

UnixMillis: TypeAlias = int
"""Milliseconds since 1970-01-01T00:00:00 UTC, wall clock. Traffic is measured in these."""

UnixSeconds: TypeAlias = float
"""Seconds since 1970-01-01T00:00:00 UTC, wall clock. Decisions (incidents, SLA, verdicts) are stamped with these."""

MonotonicSeconds: TypeAlias = float
"""Seconds of a clock that is never set back. Time-outs and budgets are measured in these."""

Seconds: TypeAlias = float
Octets: TypeAlias = int
Ratio: TypeAlias = float

MILLIS_PER_SECOND: Final = 1000
UNKNOWN_ID: Final = -1
"""The id in an int32 column of something that is not known. Unknown is never a row of a table."""
