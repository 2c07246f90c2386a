"""Settings of the stores: [store], [store.influx] and [store.archive]."""

from enum import StrEnum
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from btimd.settings.fields import Duration, Section, SettingsPath

_HOUR_SECONDS: Final = 3600.0


class StoreKind(StrEnum):
    """Where series are kept."""

    EMBEDDED = "embedded"
    """A DuckDB file in the state directory; nothing to install."""
    INFLUX2 = "influx2"
    """A server with the InfluxDB 2.x API, queried with Flux."""
    INFLUX1 = "influx1"
    """A server with the InfluxDB 1.x API, queried with InfluxQL."""


def _check_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f'{value!r} is no address of a server; write "http://127.0.0.1:8086" or "https://..."')
    if parts.username or parts.password:
        raise ValueError("a URL must not hold a password; use username and password_file, or token_file")
    return value.rstrip("/")


class InfluxSettings(Section):
    """How to reach an InfluxDB server. org, bucket, token_file: 2.x. database, username, password_file: 1.x."""

    url: Annotated[str, AfterValidator(_check_url)] = "http://127.0.0.1:8086"
    org: str = ""
    bucket: str = "btimd"
    token_file: SettingsPath | None = None
    database: str = "btimd"
    username: str = ""
    password_file: SettingsPath | None = None
    ca_file: SettingsPath | None = None
    timeout: Duration = 10.0
    spool_bytes: int = Field(default=1_000_000_000, ge=1_000_000)
    """The spool on disk; when full, the oldest points go and are counted."""
    batch_bytes: int = Field(default=1_000_000, ge=1_000, le=20_000_000)
    """The most that one request carries."""
    retry_at_most_every: Duration = 60.0
    """The longest pause between two attempts while the server is away."""


class ArchiveSettings(Section):
    """How long flow records are kept for searches, and how much room they may take: [store.archive]."""

    enabled: bool = True
    """Whether flow records are kept at all."""
    keep: Duration = 7 * 86_400.0
    """How long records are kept."""
    max_bytes: int = Field(default=10_000_000_000, ge=10_000_000)
    """Room for all files; the oldest hours go first."""
    keep_free_bytes: int = Field(default=1_000_000_000, ge=0)
    """Room on the disk that is left to others; with less than that nothing is written, and records are lost."""
    part_every: Duration = 120.0
    """The longest that a record waits in memory; what a crash may cost."""
    part_records: int = Field(default=500_000, ge=1_000, le=5_000_000)
    """Records after which a part is written earlier."""
    merge_after: Duration = 2_400.0
    """How long after its end an hour waits for late records before its parts are put together."""
    queue_bytes: int = Field(default=256_000_000, ge=1_000_000)
    """Records that wait for the writer; when full, the newest are dropped and counted."""
    memory_bytes: int = Field(default=512_000_000, ge=128_000_000)
    """What putting an hour together may use, and a search; beyond that they use temporary files."""
    search_timeout: Duration = 20.0
    """After that a search answers with what it has read so far, and says so."""

    @model_validator(mode="after")
    def _check_times(self) -> Self:
        if self.keep < _HOUR_SECONDS:
            raise ValueError('keep is less than an hour; write at least "1h", or enabled = false')
        if self.part_every > _HOUR_SECONDS:
            raise ValueError('part_every is more than an hour; write at most "1h"')
        return self


class StoreSettings(Section):
    """Which store, and how long it keeps.

    keep and keep_by_series apply to the embedded store (an InfluxDB server has its own retention). A key of
    keep_by_series is a measurement, alone or with tags as in line protocol: "btimd_traffic",
    "btimd_traffic,interval=10s"; the key with the most tags that fit a point counts.
    """

    kind: StoreKind = StoreKind.EMBEDDED
    flush_every: Duration = 1.0
    queue_points: int = Field(default=500_000, ge=1)
    keep: Duration = 400 * 86_400.0
    keep_by_series: dict[str, Duration] = Field(default_factory=dict)
    max_series: int = Field(default=200_000, ge=1)
    """Different tag sets the embedded store takes; points of more are refused and counted."""
    influx: InfluxSettings = InfluxSettings()
    archive: ArchiveSettings = ArchiveSettings()

    @model_validator(mode="after")
    def _check_what_the_kind_needs(self) -> Self:
        if self.kind is StoreKind.INFLUX2 and not self.influx.org:
            raise ValueError('kind "influx2" needs influx.org; write the name of the organization of your InfluxDB')
        if self.kind is StoreKind.INFLUX1 and self.influx.username and self.influx.password_file is None:
            raise ValueError("influx.username needs influx.password_file; write the file that holds the password")
        return self
