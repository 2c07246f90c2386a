"""Settings of the probes: the table [probes] of btimd.toml."""

from ipaddress import ip_address
from math import inf
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from btimd.model.address import Prefix
from btimd.model.indicator import Flapping, Threshold
from btimd.model.service import CheckKind
from btimd.probes.budgetlimits import BudgetLimits, Limit, SubnetLimit
from btimd.probes.eventsettings import SyslogSettings, TrapSettings
from btimd.settings.fields import Duration, Section, SettingsPath

SnmpVersion = Literal["2c", "3"]
AuthProtocol = Literal["md5", "sha", "sha224", "sha256", "sha384", "sha512"]
PrivProtocol = Literal["des", "aes128", "aes192", "aes256", "aes192-blumenthal", "aes256-blumenthal"]
SnmpTable = Literal["addresses", "entity", "lldp", "cdp", "arp", "fdb", "routes"]


def _check_address(value: str) -> str:
    try:
        address = ip_address(value)
    except ValueError as error:
        raise ValueError(f'{value!r} is no IP address; write "10.0.0.1" or "2001:db8::1"') from error
    if "%" in value:
        raise ValueError(f"{value!r} is an address with an interface; write an address that needs none")
    return str(address)


def _check_tables(tables: tuple[SnmpTable, ...] | None) -> tuple[SnmpTable, ...] | None:
    twice = sorted({one for one in tables or () if (tables or ()).count(one) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)} stands there twice; write it once")
    return tables


def _check_prefix(value: str) -> str:
    try:
        return str(Prefix.parse(value))
    except ValueError as error:
        raise ValueError(f'{value!r} is no prefix: {error}; write "10.2.0.0/16" or "2001:db8::/32"') from error


SnmpTables = Annotated[tuple[SnmpTable, ...] | None, AfterValidator(_check_tables)]


class SnmpAccessSettings(Section):
    """What may be said of a device, and in [probes.snmp_defaults] of all of them; a device's own key wins."""

    version: SnmpVersion | None = None
    """`"2c"` or `"3"`; `"2c"` where nothing is said."""
    community_file: SettingsPath | None = None
    """File with the community, for version 2c; readable by btimd only."""
    user: str | None = Field(default=None, min_length=1, max_length=32)
    """User of version 3."""
    auth_protocol: AuthProtocol | None = None
    """How version 3 signs: `"sha256"` is a good choice where devices know it; none = noAuthNoPriv."""
    auth_key_file: SettingsPath | None = None
    """File with the pass phrase that signs; at least 8 characters."""
    priv_protocol: PrivProtocol | None = None
    """How version 3 encrypts; none = authNoPriv."""
    priv_key_file: SettingsPath | None = None
    """File with the pass phrase that encrypts; at least 8 characters."""
    context: str | None = Field(default=None, max_length=32)
    """Context of version 3; almost always empty."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """UDP port of the agent; 161 where nothing is said."""
    every: Annotated[Duration, Field(ge=30, le=86_400)] | None = None
    """How often everything is read: interfaces, neighbours, ARP, FDB, routes; `"10m"` where nothing is said."""
    counters_every: Annotated[Duration, Field(ge=5, le=86_400)] | None = None
    """How often interface counters and states are read; `"60s"` where nothing is said."""
    timeout: Annotated[Duration, Field(ge=0.2, le=60)] | None = None
    """How long an answer is waited for; `"2s"` where nothing is said."""
    retries: int | None = Field(default=None, ge=0, le=10)
    """How often a request without an answer is repeated; 2 where nothing is said."""
    max_requests_per_second: float | None = Field(default=None, ge=0.1, le=1000)
    """Requests per second to the device at most, also repeated ones; 10 where nothing is said."""
    tables: SnmpTables = None
    """What is read beside interfaces; all of it where nothing is said."""

    @model_validator(mode="after")
    def _check_levels(self) -> Self:
        if self.priv_protocol is not None and self.auth_protocol is None:
            raise ValueError("priv_protocol needs auth_protocol; SNMPv3 does not encrypt what it does not sign")
        for kind in ("auth", "priv"):
            protocol, file = getattr(self, f"{kind}_protocol"), getattr(self, f"{kind}_key_file")
            if (protocol is None) != (file is None):
                raise ValueError(f"{kind}_protocol and {kind}_key_file belong together; write both or none")
        return self


class SnmpDeviceSettings(SnmpAccessSettings):
    """[probes.snmp.NAME]: a device that is asked by SNMP."""

    address: Annotated[str, AfterValidator(_check_address)]
    """Where it is asked; the address flow records of it come from, if it exports flows."""


class SnmpDefaultSettings(SnmpAccessSettings):
    """[probes.snmp_defaults]: for all devices, and how much is done at a time."""

    exporters: bool = False
    """Ask exporters that flow records come from too, with these credentials; for addresses that no table names."""
    max_exporters: int = Field(default=1000, ge=1, le=100_000)
    """Most exporters that are asked that way."""
    concurrent: int = Field(default=16, ge=1, le=1000)
    """Devices that are asked at the same time, each with one request in flight."""
    max_interfaces: int = Field(default=10_000, ge=10, le=1_000_000)
    """Rows of tables of interfaces, addresses and neighbours that are read of a device at most."""
    max_stations: int = Field(default=20_000, ge=10, le=1_000_000)
    """Rows of the ARP and of the forwarding tables that are read at most."""
    max_routes: int = Field(default=2_000, ge=0, le=1_000_000)
    """Rows of the routing tables that are read at most."""
    back_off_max: Annotated[Duration, Field(ge=1, le=86_400)] = 900.0
    """The longest pause before a device that does not answer is asked again."""


class LimitSettings(Section):
    """[probes.kinds.KIND], and what a subnet of its own has beside its prefix: limits; without a key there is none."""

    per_second: float | None = Field(default=None, gt=0, le=100_000)
    """Probes per second."""
    burst: int | None = Field(default=None, ge=1, le=100_000)
    """Probes that may run at once after a quiet time; two seconds' worth where nothing is said."""
    concurrent: int | None = Field(default=None, ge=1, le=100_000)
    """Probes that may run at the same time."""
    octets_per_second: float | None = Field(default=None, ge=1000)
    """Octets per second that probes may send and receive; ten seconds' worth at once after a quiet time."""

    def limit(self, table: str) -> Limit:
        """Return the limits of the table of that name."""
        rate = inf if self.per_second is None else self.per_second
        return Limit(
            per_second=rate,
            burst=self.burst or (1 if rate == inf else max(1, round(2 * rate))),
            concurrent=inf if self.concurrent is None else self.concurrent,
            octets_per_second=inf if self.octets_per_second is None else self.octets_per_second,
            keys=(f"{table}.per_second", f"{table}.concurrent", f"{table}.octets_per_second", ""),
        )


class SubnetSettings(LimitSettings):
    """[probes.subnets.NAME]: a prefix with limits of its own, such as a branch office behind a thin line."""

    prefix: Annotated[str, AfterValidator(_check_prefix)]
    """Whose hosts are meant, as `"10.2.0.0/16"`; of nested prefixes the longest counts."""


class PluginSettings(Section):
    """[probes.plugins]: which programs plugin checks may run, and what one of them may take."""

    directories: tuple[SettingsPath, ...] = ()
    """Folders whose programs may be run, such as `/usr/lib/nagios/plugins`; none: no plugin is ever run."""
    user: str = Field(default="", max_length=32)
    """Whom plugins run as, where btimd itself is root; empty: as btimd. Then their memory and processes are theirs."""
    concurrent: int = Field(default=8, ge=1, le=256)
    """Plugins that run at the same time; more wait within their time."""
    cpu_seconds: int = Field(default=10, ge=1, le=600)
    """Processor time of one process of a plugin."""
    memory_bytes: int = Field(default=512 * 1024 * 1024, ge=16 * 1024 * 1024, le=2**40)
    """Address space of one process of a plugin."""
    processes: int = Field(default=512, ge=8, le=65_536)
    """Processes and threads of the whole user, btimd's own too where plugins run as it; root has no such limit."""
    open_files: int = Field(default=64, ge=16, le=65_536)
    """Files a process of a plugin may have open."""
    output_bytes: int = Field(default=64 * 1024, ge=1024, le=1024 * 1024)
    """Octets of output that are kept; a plugin that writes 16 times as many is killed."""
    nice: int = Field(default=10, ge=0, le=19)
    """How far plugins stand back for others on this machine's processors."""


class ProbeSettings(Section):
    """How much load probes may put on anything, and when a key indicator becomes a symptom."""

    light_per_second: float = Field(default=10.0, gt=0, le=1000)
    """Probes per second to one host, of any kind."""
    light_burst: int = Field(default=20, ge=1, le=10_000)
    """Probes to one host that may run at once after a quiet time."""
    heavy_per_ten_seconds: float = Field(default=6.0, ge=0, le=1000)
    """HTTP requests and SQL queries per 10 s to one server (host and port); 0 switches them off."""
    heavy_burst: int = Field(default=6, ge=1, le=10_000)
    """Heavy probes to one server that may run at once after a quiet time."""
    concurrent_per_host: int = Field(default=8, ge=1, le=1000)
    """Probes to one host that may run at the same time."""
    host_octets_per_second: float = Field(default=250_000.0, ge=1000)
    """Octets per second that probes of one host may send and receive; ten seconds' worth at once."""
    concurrent: int = Field(default=64, ge=1, le=1000)
    """Probes that may run at the same time; each needs a file descriptor."""
    per_second: float = Field(default=200.0, gt=0, le=100_000)
    """Probes per second to all targets together."""
    octets_per_second: float = Field(default=5_000_000.0, ge=1000)
    """Octets per second of all probes together."""
    device_per_second: float = Field(default=20.0, gt=0, le=100_000)
    """Probes per second to all nodes that share a device."""
    device_heavy_per_ten_seconds: float = Field(default=12.0, gt=0, le=10_000)
    """Heavy ones among them, in 10 s."""
    device_concurrent: int = Field(default=12, ge=1, le=1000)
    """Probes to such nodes that may run at the same time."""
    device_octets_per_second: float = Field(default=500_000.0, ge=1000)
    """Octets per second of probes to such nodes."""
    subnet_prefix_v4: int = Field(default=24, ge=8, le=32)
    """How long the prefixes are that the limits for a subnet hold for; this machine's own addresses have none."""
    subnet_prefix_v6: int = Field(default=64, ge=16, le=128)
    """The same for IPv6."""
    subnet_per_second: float = Field(default=100.0, gt=0, le=100_000)
    """Probes per second to all hosts of a subnet."""
    subnet_concurrent: int = Field(default=48, ge=1, le=1000)
    """Probes to a subnet that may run at the same time."""
    subnet_octets_per_second: float = Field(default=1_000_000.0, ge=1000)
    """Octets per second of probes to a subnet."""
    subnets: dict[str, SubnetSettings] = Field(default_factory=dict)
    """Prefixes with limits of their own, by name."""
    kinds: dict[CheckKind, LimitSettings] = Field(default_factory=dict)
    """Limits for all checks of a kind together, such as `[probes.kinds.http]`."""
    reserve_percent: float = Field(default=25.0, ge=0, le=90)
    """The share of every burst and of every number at the same time that only a diagnosis may take."""
    back_off_after: int = Field(default=3, ge=1, le=100)
    """Signs of overload in a row after which heavy probes to a server become rarer."""
    back_off_max: Duration = Field(default=10.0, ge=0)
    """The longest pause between heavy probes to a server in trouble."""
    back_off_decay: Duration = Field(default=60.0, ge=1)
    """After so much quiet half of the signs of overload are forgotten; a good answer forgets half of them too."""
    share_within: Duration = Field(default=1.0, ge=0, le=60)
    """A diagnosis may reuse an answer to the same question that was begun at most so long ago; 0 switches it off."""
    confirm_after: Duration = Field(default=0.3, ge=0.01, le=60)
    """After a bad sample of a key indicator the next one is taken so much later, whatever its period."""
    bad_of: int = Field(default=2, ge=1, le=20)
    """So many bad samples ..."""
    window: int = Field(default=3, ge=1, le=20)
    """... of the last so many are a symptom; when all of them are good again it is cleared."""
    flap_count: int = Field(default=3, ge=0, le=100)
    """A key indicator that turns bad so often in `flap_window` comes and goes, and is one symptom; 0 = none does."""
    flap_window: Duration = Field(default=600.0, ge=1)
    """The time that `flap_count` is about."""
    flap_steady: Duration = Field(default=180.0, ge=0)
    """So long no sample may be bad before the symptom of an indicator that comes and goes is cleared."""
    queue_limit: int = Field(default=4096, ge=1, le=1_000_000)
    """Probes that may wait for the budget; more are answered at once with unknown, over-budget."""
    snmp: dict[str, SnmpDeviceSettings] = Field(default_factory=dict)
    """Devices that are asked by SNMP, by name."""
    snmp_defaults: SnmpDefaultSettings = Field(default_factory=SnmpDefaultSettings)
    """What holds for all of them."""
    syslog: SyslogSettings = Field(default_factory=SyslogSettings)
    """Where syslog is taken, and what the messages mean."""
    traps: TrapSettings = Field(default_factory=TrapSettings)
    """Where SNMP traps and informs are taken."""
    plugins: PluginSettings = Field(default_factory=PluginSettings)
    """Which programs plugin checks may run."""

    @model_validator(mode="after")
    def _threshold_can_be_met(self) -> Self:
        if self.bad_of > self.window:
            raise ValueError(
                f"bad_of = {self.bad_of} of window = {self.window} can never be met; write bad_of <= window"
            )
        return self

    @property
    def threshold(self) -> Threshold:
        """When a key indicator is a symptom."""
        return Threshold(self.bad_of, self.window)

    @property
    def flapping(self) -> Flapping:
        """When a key indicator comes and goes."""
        return Flapping(self.flap_count, self.flap_window, self.flap_steady)

    @property
    def _device_limit(self) -> Limit:
        return Limit(
            per_second=self.device_per_second,
            burst=max(1, round(2 * self.device_per_second)),
            concurrent=self.device_concurrent,
            octets_per_second=self.device_octets_per_second,
            heavy_per_second=self.device_heavy_per_ten_seconds / 10.0,
            heavy_burst=max(1, round(self.device_heavy_per_ten_seconds)),
            keys=(
                "probes.device_per_second",
                "probes.device_concurrent",
                "probes.device_octets_per_second",
                "probes.device_heavy_per_ten_seconds",
            ),
        )

    @property
    def _subnet_limit(self) -> Limit:
        return Limit(
            per_second=self.subnet_per_second,
            burst=max(1, round(2 * self.subnet_per_second)),
            concurrent=self.subnet_concurrent,
            octets_per_second=self.subnet_octets_per_second,
            keys=("probes.subnet_per_second", "probes.subnet_concurrent", "probes.subnet_octets_per_second", ""),
        )

    @property
    def limits(self) -> BudgetLimits:
        """The load limits."""
        return BudgetLimits(
            light_per_second=self.light_per_second,
            light_burst=self.light_burst,
            heavy_per_ten_seconds=self.heavy_per_ten_seconds,
            heavy_burst=self.heavy_burst,
            concurrent_per_host=self.concurrent_per_host,
            host_octets_per_second=self.host_octets_per_second,
            concurrent=self.concurrent,
            per_second=self.per_second,
            octets_per_second=self.octets_per_second,
            back_off_decay_seconds=self.back_off_decay,
            reserve=self.reserve_percent / 100.0,
            device=self._device_limit,
            subnet=self._subnet_limit,
            subnet_length_v4=self.subnet_prefix_v4,
            subnet_length_v6=self.subnet_prefix_v6,
            subnets=tuple(
                SubnetLimit(Prefix.parse(one.prefix), one.limit(f"probes.subnets.{name}"))
                for name, one in self.subnets.items()
            ),
            kinds={kind: one.limit(f"probes.kinds.{kind}") for kind, one in self.kinds.items()},
            back_off_after=self.back_off_after,
            back_off_max_seconds=self.back_off_max,
        )
