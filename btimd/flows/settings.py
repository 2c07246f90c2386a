"""Settings of traffic: [flows] in btimd.toml."""

import re
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, field_validator, model_validator

from btimd.flows.deviation import DeviationLimits
from btimd.flows.duplicates import DuplicateLimits, Mode
from btimd.flows.linktables import LinkLimits
from btimd.flows.persons import PersonLimits
from btimd.flows.quality import QualityLimits
from btimd.flows.topology import TopologyLimits
from btimd.flows.topologyview import TopologySettings
from btimd.flows.users import UserLimits
from btimd.flows.windows import WindowLimits
from btimd.model.address import Prefix
from btimd.settings.fields import Duration, HostPort, Section, SettingsPath


class DuplicateSettings(Section):
    """[flows.duplicates]: flows that several observation points report, so that each counts once."""

    mode: Mode = "auto"
    """`"auto"` looks at one flow in 64, and at all while more than `threshold` of those come twice; `"on"` always
    looks at all, `"off"` at none: for networks in which address spaces overlap"""
    capacity: Annotated[int, Field(ge=1024, le=1 << 26)] = 1 << 20
    """Flows known at a time when all are looked at, 32 octets each; what finds no room is never left out"""
    silence: Annotated[Duration, Field(ge=1, le=86400)] = 180.0
    """A flow counts as its first reporter tells it until that was silent about it for so long; it must be longer than
    the exporters' active timeouts"""
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.002
    """Share of duplicates in the sample above which `"auto"` looks at all flows"""
    prefer: tuple[str, ...] = ()
    """Exporters whose reports win over those of others: addresses, or names of `[capture.exporter.NAME]`"""

    def limits(self) -> DuplicateLimits:
        """Return how duplicates are looked for."""
        return DuplicateLimits(self.mode, self.capacity, self.silence, self.threshold, self.prefer)


class QualitySettings(Section):
    """[flows.quality]: how well connections do, per business, place and server, measured on captured packets."""

    grace: Annotated[Duration, Field(ge=0, le=600)] = 3.0
    """How long after its end an interval is waited for; packets that btimd captures itself are known within a second"""
    lateness: Annotated[Duration, Field(ge=0, le=3600)] = 30.0
    """How long after that late records still change an interval; later ones are counted and lost"""
    max_cells: Annotated[int, Field(ge=16, le=1 << 18)] = 2048
    """Most combinations of business, place and server in 10 s; further servers count in their place without being
    named. Up to 9 KB each per 10 s of grace + lateness + 60 s, 0.3 KB where only failed connections were seen"""
    history_rows: Annotated[int, Field(ge=100, le=1_000_000)] = 4000
    """Rows of closed intervals that are kept in memory for views, for each interval length; up to about 10 KB each"""

    def limits(self, future_seconds: float) -> QualityLimits:
        """Return the limits of quality windows."""
        return QualityLimits(self.grace, self.lateness, future_seconds, self.max_cells)


class DhcpSettings(Section):
    """[flows.persons.dhcp.NAME]: the leases of a DHCP server, which tell what device has an address."""

    kind: Literal["isc", "kea"]
    """`"isc"`: a dhcpd.leases of ISC dhcpd; `"kea"`: a lease file of Kea's memfile backend, of IPv4 or IPv6"""
    file: SettingsPath
    """The lease file; those that Kea's clean-up leaves beside it are read as well"""
    person_from: Annotated[tuple[Literal["mac-list", "hostname", "mac"], ...], Field(min_length=1)] = (
        "mac-list",
        "hostname",
    )
    """What names the person of a lease: the first of these that says anything; `"mac-list"` is
    `flows.persons.list.macs`, `"hostname"` what the client calls itself, which anybody can make up"""


class RadiusSettings(Section):
    """[flows.persons.radius]: RADIUS accounting, which tells who logged on and which address that gave."""

    listen: HostPort | None = None
    """Where accounting packets are received, `"127.0.0.1:1813"`; without it no port is opened"""
    secret_file: SettingsPath | None = None
    """Holds the secret shared with those who send, readable by btimd only"""
    clients: tuple[str, ...] = ()
    """Addresses and prefixes that may send; nobody means everybody who has the secret"""
    details: tuple[SettingsPath, ...] = ()
    """`detail` files of FreeRADIUS, read as they grow"""
    session_timeout: Annotated[Duration, Field(ge=60, le=30 * 86400)] = 86_400.0
    """A session that nobody tells of for so long is over; longer than the interval of interim updates"""
    max_packets_per_second: Annotated[int, Field(ge=10, le=100_000)] = 2000
    """Packets looked at per second; more wait in the socket's buffer, and are lost where that is full"""

    @model_validator(mode="after")
    def _listening_needs_a_secret(self) -> "RadiusSettings":
        if self.listen is not None and self.secret_file is None:
            raise ValueError("listen without secret_file; anybody could tell lies, so name the file with the secret")
        for client in self.clients:
            try:
                Prefix.parse(client)
            except ValueError:
                raise ValueError(f"clients: {client!r} is no address or prefix; write 10.1.2.3 or 10.0.0.0/8") from None
        return self


class PersonListSettings(Section):
    """[flows.persons.list]: who has which address, and who uses which device, by lists of your own."""

    file: SettingsPath | None = None
    """CSV lines `address_or_prefix,person[,since,until]`"""
    macs: SettingsPath | None = None
    """CSV lines `mac,person`: names the persons of leases"""


class PersonSettings(Section):
    """[flows.persons]: who sits behind an address: sessions go before lists, these before leases, the IP plan last."""

    poll: Annotated[Duration, Field(ge=0.1, le=3600)] = 1.0
    """How often files are looked at"""
    max_bindings: Annotated[int, Field(ge=100, le=5_000_000)] = 200_000
    """Most addresses and prefixes with a person at a time, about 0.6 KB each; more are refused and counted"""
    pseudonyms: bool = False
    """Keep pseudonyms instead of names: nobody who asks btimd learns a name, yet a person is the same everywhere"""
    pseudonym_key_file: SettingsPath | None = None
    """Holds the key of the pseudonyms, at least 16 characters, readable by btimd only; another key, other pseudonyms"""
    dhcp: dict[str, DhcpSettings] = Field(default_factory=dict)
    radius: RadiusSettings = Field(default_factory=RadiusSettings)
    list: PersonListSettings = Field(default_factory=PersonListSettings)

    @model_validator(mode="after")
    def _pseudonyms_need_a_key(self) -> "PersonSettings":
        if self.pseudonyms and self.pseudonym_key_file is None:
            raise ValueError("pseudonyms without pseudonym_key_file; put a random key into a file and name it")
        return self

    @property
    def wanted(self) -> bool:
        """Tell whether anything is to be read or received."""
        files = (self.list.file, self.list.macs, self.radius.listen, *self.radius.details, *self.dhcp)
        return any(one is not None for one in files)

    def limits(self) -> PersonLimits:
        """Return the limits of the table of persons."""
        return PersonLimits(self.max_bindings, self.radius.session_timeout)


class BaselineSettings(Section):
    """[flows.baselines]: what is usual for each business, and when something is not."""

    enabled: bool = True
    """`false`: nothing is learned, nothing is told"""
    time_zone: str = "UTC"
    """Whose clocks decide what time of day it is: a name such as `"Asia/Shanghai"`; summer time is known"""
    country: str = ""
    """ISO 3166 code of the country whose holidays and make-up workdays count, such as `"CN"`; `""`: none"""
    subdivision: str = ""
    """ISO 3166-2 part of the country, such as `"BY"`"""
    days_file: SettingsPath | None = None
    """Days of your own, one per line, which win over the country's: `2026-05-02 workday`, saturday,
    sunday or holiday"""
    max_series: Annotated[int, Field(ge=6, le=500_000)] = 20_000
    """Most series: a business has up to 7 per region and 7 as a whole. About 3.4 KB each, further ones are counted"""
    least_days: Annotated[int, Field(ge=2, le=30)] = 3
    """On so many days of its kind a time of day must have been seen before anything is told of it"""
    factor: Annotated[float, Field(ge=1, le=10)] = 1.15
    """How many times further off than 499 of 500 intervals times, failures and retransmissions must be; less finds
    more and errs more often"""
    false_drops: Annotated[float, Field(ge=0.001, le=10)] = 0.2
    """How many drops a week a business may be said to have without having one, as far as the past tells; more finds
    smaller ones"""
    adopt: Annotated[Duration, Field(ge=3600, le=30 * 86400)] = 86400.0
    """What deviates for so long is the new usual"""
    learn_from: Annotated[Duration, Field(ge=0, le=90 * 86400)] = 28 * 86400.0
    """How far back the series store is read at a start without a saved state; `"0s"`: not at all"""
    learn_rows: Annotated[int, Field(ge=1000, le=100_000_000)] = 5_000_000
    """Most rows that are read for this; many series are learned from fewer days"""
    save_every: Annotated[Duration, Field(ge=60, le=86400)] = 1800.0
    """How often what was learned is written to the state directory"""

    def limits(self) -> DeviationLimits:
        """Return when something deviates."""
        return DeviationLimits(factor=self.factor, budget=self.false_drops, adopt_after=round(self.adopt / 60))

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f'{value!r} is no time zone; write one such as "Asia/Shanghai"') from error
        return value


_BIT_RATE: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<prefix>[kMGT]?)bit/s")
_MOST_BIT_RATE: Final = 100 * 10**12
_BITS_PER: Final = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def parse_bit_rate(value: Any) -> int:
    """Return bit/s of 1000000000 or "1 Gbit/s"; raises ValueError for anything else."""
    match = _BIT_RATE.fullmatch(value) if isinstance(value, str) else None
    if isinstance(value, int) and not isinstance(value, bool):
        rate = value
    elif match is not None:
        rate = round(float(match["number"]) * _BITS_PER[match["prefix"]])
    else:
        raise ValueError(f'{value!r} is no speed; write bit/s as a whole number, or "100 Mbit/s", "1 Gbit/s"')
    if not 1 <= rate <= _MOST_BIT_RATE:
        raise ValueError(f"{value!r} is no speed of a line; write 1 bit/s up to 100 Tbit/s")
    return rate


BitRate = Annotated[int, BeforeValidator(parse_bit_rate)]
"""bit/s, a whole number or with a unit."""


class LinkSettings(Section):
    """[flows.links]: what businesses put on interfaces, by what flow records say of where packets came in and left."""

    enabled: bool = True
    """`false`: interfaces carry nothing that is known of; devices and links are shown all the same"""
    grace: Annotated[Duration, Field(ge=0, le=600)] = 10.0
    """How long after its end an interval is waited for before it is emitted the first time"""
    lateness: Annotated[Duration, Field(ge=0, le=3600)] = 300.0
    """How long after that late records still change an interval; later ones are counted and lost to links"""
    future: Annotated[Duration, Field(ge=1, le=3600)] = 60.0
    """Records that end in a later minute than now and this come to are counted and lost to links"""
    max_interfaces: Annotated[int, Field(ge=8, le=1 << 17)] = 4096
    """Most interfaces of all exporters together; records of further ones are counted and lost to those"""
    max_cells: Annotated[int, Field(ge=16, le=1 << 18)] = 16_384
    """Most pairs of an interface and the businesses that share a rule; one that is used costs 128 octets per minute of
    grace + lateness + future"""
    domains_capacity: Annotated[int, Field(ge=1024, le=1 << 24)] = 1 << 16
    """Flows known at a time of exporters that report in several observation domains, 16 octets each; of further ones
    some count twice"""

    def limits(self) -> LinkLimits:
        """Return how long intervals are waited for, and how much is kept."""
        return LinkLimits(
            grace_seconds=self.grace,
            lateness_seconds=self.lateness,
            future_seconds=self.future,
            max_interfaces=self.max_interfaces,
            max_cells=self.max_cells,
            domains_capacity=self.domains_capacity,
        )


class TopologyOptions(Section):
    """[flows.topology]: devices, what hangs on their interfaces, and how full these are."""

    speeds: dict[str, BitRate] = Field(default_factory=dict)
    """Speeds against what devices and exporters say: bit/s or a text, by device and interface name or ifIndex, such as
    `"core:Gi0/1" = "1 Gbit/s"` or `"core:7" = 1000000000`"""
    max_age: Annotated[Duration, Field(ge=60, le=7 * 86400)] = 3600.0
    """What a device told longer ago tells no links any more, and nothing of its state"""
    access_macs: Annotated[int, Field(ge=1, le=1000)] = 4
    """Up to so many MACs behind an interface are hosts; more are taken for another switch"""
    max_links: Annotated[int, Field(ge=10, le=200_000)] = 20_000
    """Most links shown; further ones are counted and left out"""
    max_devices: Annotated[int, Field(ge=1, le=100_000)] = 5000
    """Most devices whose facts are kept; those of further ones are counted and left out"""
    warm: Annotated[float, Field(gt=0, le=1)] = 0.7
    """From this utilisation on, a hop of a business is degraded"""
    full: Annotated[float, Field(gt=0, le=1)] = 0.9
    """From this utilisation on, it is bad"""
    restarted: Annotated[Duration, Field(ge=0, le=86400)] = 900.0
    """A device that has been up for less than this is shown as restarted, and degrades the hops it carries"""

    @model_validator(mode="after")
    def _warm_comes_before_full(self) -> "TopologyOptions":
        if self.warm > self.full:
            raise ValueError(f"warm = {self.warm:g} is above full = {self.full:g}; what is full is warm already")
        for key in self.speeds:
            device, separator, interface = key.rpartition(":")
            if not separator or not device or not interface:
                raise ValueError(f'speeds: {key!r} is no interface; write "DEVICE:INTERFACE", such as "core:Gi0/1"')
        return self

    def settings(self) -> TopologySettings:
        """Return how the network is shown."""
        return TopologySettings(
            speeds=self.speeds,
            limits=TopologyLimits(self.max_age, self.access_macs, self.max_links),
            full=self.full,
            warm=self.warm,
            restarted_seconds=self.restarted,
            max_devices=self.max_devices,
        )


class FlowSettings(Section):
    """How traffic is added up. Durations are written with a unit ("10s"), counts are limits of memory."""

    grace: Annotated[Duration, Field(ge=0, le=600)] = 10.0
    """How long after its end an interval is waited for before it is emitted the first time."""
    lateness: Annotated[Duration, Field(ge=0, le=6 * 3600)] = 900.0
    """How long after that late records still change an interval; later ones are counted and lost to windows."""
    future: Annotated[Duration, Field(ge=1, le=3600)] = 60.0
    """Records that end later than this after now are counted and lost: the exporter's clock is wrong."""
    max_cells: Annotated[int, Field(ge=16, le=1 << 20)] = 16_384
    """Most pairs of business and place; further places count as unknown place. 64 octets each per interval held."""
    max_users: Annotated[int, Field(ge=1024, le=1 << 24)] = 1 << 21
    """Most pairs of client address and business known at a time. 128 to 144 octets for each address with up to five."""
    max_user_sketches: Annotated[int, Field(ge=0, le=1 << 20)] = 16_384
    """Most combinations of business, place and 10 s in which users beyond `max_users` are counted by a sketch, 1 KiB
    each; 0 = such users are not counted."""
    user_active: Annotated[Duration, Field(gt=0, le=86400)] = 60.0
    """A user seen within this time is active."""
    user_idle: Annotated[Duration, Field(gt=0, le=86400)] = 600.0
    """A user seen within this time, but not active, is idle; otherwise gone."""
    history_rows: Annotated[int, Field(ge=100, le=1_000_000)] = 20_000
    """Rows of closed intervals that are kept in memory for views, for each interval length."""

    duplicates: DuplicateSettings = Field(default_factory=DuplicateSettings)
    quality: QualitySettings = Field(default_factory=QualitySettings)
    persons: PersonSettings = Field(default_factory=PersonSettings)
    baselines: BaselineSettings = Field(default_factory=BaselineSettings)
    links: LinkSettings = Field(default_factory=LinkSettings)
    topology: TopologyOptions = Field(default_factory=TopologyOptions)

    def window_limits(self) -> WindowLimits:
        """Return the limits of windows."""
        return WindowLimits(self.grace, self.lateness, self.future, self.max_cells, self.max_user_sketches)

    def user_limits(self) -> UserLimits:
        """Return the limits of the table of users."""
        return UserLimits(self.max_users, self.user_active, self.user_idle)
