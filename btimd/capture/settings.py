"""What the operator can set about receiving flow export, and about the packets kept as evidence."""

import ssl
from collections.abc import Iterator, Mapping
from typing import Final, Literal, Self, TypeVar

from pydantic import Field, ValidationInfo, field_validator, model_validator

from btimd.capture import bpf
from btimd.capture.evidence import RingLimits
from btimd.capture.evidencefiles import KeepLimits
from btimd.capture.evidenceservice import ServiceLimits
from btimd.capture.forensics import DissectLimits
from btimd.capture.wire.decoder import DecodeLimits
from btimd.capture.wire.exporters import ExporterRule, TimeSource
from btimd.capture.wire.ipfixexport import MAX_MESSAGE_OCTETS, MIN_MESSAGE_OCTETS, ExportLimits
from btimd.model.address import Prefix
from btimd.settings.fields import Duration, HostPort, Section, SettingsPath, is_loopback
from btimd.settings.tables import PrefixField

T = TypeVar("T", Prefix, str)

MEBIBYTE: Final = 1024 * 1024
_ANY_SNAP: Final = 65_535


class NetflowSettings(Section):
    """[capture.netflow]: where NetFlow, IPFIX and sFlow are received, and the bounds of what exporters can use up.

    listen: an empty list receives nothing. receive_buffer_bytes is asked of the kernel per socket. queue_blocks and
    queue_bytes bound what waits between receiving and decoding; the oldest is dropped when there is more.
    default_sampling_rate is for exporters that announce none. pending_*: data that comes before its template.
    """

    listen: tuple[HostPort, ...] = (("0.0.0.0", 2055), ("::", 2055))  # noqa: S104  a collector listens to its network
    sockets: int = Field(default=1, ge=1, le=64)
    """UDP sockets, each with a thread, for every address of `listen`. The kernel gives all datagrams of one sender's
    address to one of them, and one thread decodes what all receive: more help where receiving is what falls behind"""
    tcp_listen: tuple[HostPort, ...] = ()
    """TCP addresses for IPFIX (RFC 7011), usually port 4739; with `tcp_cert_file` TLS, usually port 4740"""
    tcp_cert_file: SettingsPath | None = None
    """Certificate chain (PEM); with `tcp_key_file` it turns TLS on for `tcp_listen`"""
    tcp_key_file: SettingsPath | None = None
    """Its private key (PEM)"""
    tcp_client_ca_file: SettingsPath | None = None
    """Certificate authorities (PEM), one of which must have signed an exporter's certificate"""
    tcp_allow_plaintext: bool = False
    """Listen for TCP beyond loopback without TLS, where the network itself is protected"""
    tcp_connections: int = Field(default=256, ge=1, le=65_536)
    """Connections at a time; more are refused and counted. Each may hold 128 KiB"""
    tcp_idle: Duration = Field(default=1800.0, gt=0)
    """A connection that brings nothing for so long is closed"""
    allow: tuple[PrefixField, ...] = ()
    """Only exporters with addresses in these prefixes; others are refused and counted. Without: every exporter"""
    receive_buffer_bytes: int = Field(default=32 * 1024 * 1024, ge=65_536, le=1024 * 1024 * 1024)
    queue_blocks: int = Field(default=1024, ge=1, le=1_000_000)
    queue_bytes: int = Field(default=256 * 1024 * 1024, ge=16 * 1024 * 1024)
    """The memory that those blocks may take; when they would take more, the oldest are dropped and counted"""
    default_sampling_rate: int = Field(default=1, ge=1, le=1 << 24)
    max_exporters: int = Field(default=4096, ge=1, le=1_000_000)
    max_domains_per_exporter: int = Field(default=256, ge=1, le=65_536)
    max_templates: int = Field(default=1024, ge=1, le=65_536)
    max_fields: int = Field(default=512, ge=1, le=8192)
    template_lifetime: Duration = 0.0
    """A template that was neither sent again nor used for so long is forgotten; `"0s"`: never for its age"""
    keep_templates: bool = True
    """Write templates to the state directory and know them again after a restart, until the exporter sends its own"""
    pending_bytes: int = Field(default=16 * 1024 * 1024, ge=0)
    pending_bytes_per_template: int = Field(default=256 * 1024, ge=0)
    pending_age: Duration = 300.0

    @model_validator(mode="after")
    def _check_tls(self) -> Self:
        if (self.tcp_cert_file is None) != (self.tcp_key_file is None):
            raise ValueError("TLS needs both tcp_cert_file and tcp_key_file; give both or none")
        if self.tcp_client_ca_file is not None and self.tcp_cert_file is None:
            raise ValueError("tcp_client_ca_file needs tcp_cert_file and tcp_key_file; give them too")
        if self.tcp_cert_file is None and not self.tcp_allow_plaintext:
            for host, port in self.tcp_listen:
                if not is_loopback(host):
                    raise ValueError(
                        f"tcp_listen = {host}:{port} is open to the network without TLS; give tcp_cert_file and "
                        "tcp_key_file, or set tcp_allow_plaintext = true where the network itself is protected"
                    )
        return self

    def decode_limits(self) -> DecodeLimits:
        """Return the bounds in the decoder's own terms."""
        return DecodeLimits(
            default_sampling_rate=self.default_sampling_rate,
            max_exporters=self.max_exporters,
            max_domains_per_exporter=self.max_domains_per_exporter,
            max_templates=self.max_templates,
            max_fields=self.max_fields,
            pending_octets=self.pending_bytes,
            pending_octets_per_template=self.pending_bytes_per_template,
            pending_milliseconds=int(self.pending_age * 1000),
            template_lifetime_milliseconds=int(self.template_lifetime * 1000),
        )

    def tls_context(self) -> ssl.SSLContext | None:
        """Return what TLS connections are made with, None without TLS; raises OSError for files that do not fit."""
        if self.tcp_cert_file is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        files = f"{self.tcp_cert_file} and {self.tcp_key_file}"
        try:
            context.load_cert_chain(self.tcp_cert_file, self.tcp_key_file)
            if self.tcp_client_ca_file is not None:
                files = f"{self.tcp_client_ca_file}"
                context.load_verify_locations(self.tcp_client_ca_file)
                context.verify_mode = ssl.CERT_REQUIRED
        except OSError as error:
            raise OSError(error.errno, f"cannot use {files} for TLS: {error.strerror or error}") from error
        return context


class ExporterSettings(Section):
    """[capture.exporter.NAME]: what is known of an exporter, or of all with addresses in a prefix."""

    address: PrefixField
    """Its address, or a prefix; the longest one that fits an exporter counts"""
    sampling_rate: int | None = Field(default=None, ge=1, le=1 << 24)
    """The rate it samples with, whatever it announces: 100 means one packet of 100"""
    default_sampling_rate: int | None = Field(default=None, ge=1, le=1 << 24)
    """The rate while it announces none; without it that of `[capture.netflow]`"""
    time_source: TimeSource = "flow"
    """When its flows were: as its records say, when it sent them, or when they arrived, for one whose clock is wrong"""


class SpanSettings(Section):
    """[capture.span.NAME]: an interface that frames are captured on, such as the one at a switch's mirror port.

    Needs CAP_NET_RAW. What is configured here costs memory: `threads` times `ring_bytes`, and `max_flows` flows.
    """

    interface: str = Field(min_length=1, max_length=15)
    """Its name, as `ip link` shows it"""
    threads: int = Field(default=1, ge=1, le=64)
    """Threads, each with a ring. Both directions of a connection come to the same one; of connections in VXLAN or
    Geneve tunnels they may not, so leave it at 1 where tunnels are opened"""
    filter: str = ""
    """Frames to capture, in tcpdump's language, such as `"not port 22"`; `""`: all. Holds for frames with a VLAN tag as
    it does without. Needs libpcap (Debian: libpcap0.8)"""
    snap_octets: int = Field(default=192, ge=64, le=65_535)
    """What is captured of each frame, from its beginning: enough for the headers, also in a tunnel"""
    block_bytes: int = Field(default=MEBIBYTE, ge=MEBIBYTE // 16, le=16 * MEBIBYTE)
    """The kernel hands frames over in blocks of this size, a power of 2, or after 60 ms"""
    ring_bytes: int = Field(default=64 * MEBIBYTE, ge=MEBIBYTE // 4, le=4096 * MEBIBYTE)
    """Memory between the kernel and each thread, a multiple of `block_bytes`; frames that find no room are lost"""
    promiscuous: bool = True
    """Receive frames for other machines: what a mirror port brings"""
    outgoing: bool = True
    """Capture what this machine itself sends on the interface too. A mirror port has nothing of the kind; on a server
    or a router it is half of each conversation. Never on loopback, where each frame would come twice"""
    hardware_time: bool = False
    """Take the network card's time stamps, where it is set up to make them and its clock follows the time"""
    max_flows: int = Field(default=262_144, ge=1024, le=1 << 24)
    """Flows that each thread follows at a time"""
    active_timeout: Duration = Field(default=10.0, ge=1.0, le=3600.0)
    """A flow that goes on is reported so often"""
    inactive_timeout: Duration = Field(default=60.0, ge=1.0, le=3600.0)
    """A flow without packets for so long has ended"""
    quality: bool = True
    """Measure how well TCP connections and DNS queries do: round trips, retransmissions, response times, refusals"""

    @field_validator("interface")
    @classmethod
    def _check_interface(cls, name: str) -> str:
        if name in {".", ".."} or not name.isprintable() or any(letter in name for letter in "/: "):
            raise ValueError(f"'{name}' is no name of an interface; `ip link` shows those there are")
        return name

    @field_validator("filter")
    @classmethod
    def _check_filter(cls, expression: str) -> str:
        bpf.compile_filter(expression, _ANY_SNAP)
        return expression

    @field_validator("block_bytes")
    @classmethod
    def _check_block(cls, size: int) -> int:
        if size & (size - 1):
            raise ValueError(f"{size} is no power of 2; write 1048576 for 1 MiB")
        return size

    @field_validator("ring_bytes")
    @classmethod
    def _check_ring(cls, size: int, info: ValidationInfo) -> int:
        block = info.data.get("block_bytes", size // 2)  # where that is wrong, this cannot be told
        if size % block or size < 2 * block:
            raise ValueError(f"{size} is not two or more blocks of block_bytes = {block}; write a multiple of it")
        return size


class ExportSettings(Section):
    """[capture.export]: other collectors that get the flow records btimd makes of packets, as IPFIX over UDP."""

    collectors: tuple[HostPort, ...] = ()
    """Where the records go: each collector gets all of them. An empty list sends nothing"""
    message_bytes: int = Field(default=1_400, ge=MIN_MESSAGE_OCTETS, le=MAX_MESSAGE_OCTETS)
    """The most octets of a message, so that it fits into one packet on the way"""
    template_refresh: Duration = Field(default=60.0, ge=0.001, le=86_400)
    """Templates are sent again when so much time has passed"""
    template_refresh_messages: int = Field(default=4_096, ge=1, le=1_000_000)
    """... or so many messages have been sent since"""
    queue_records: int = Field(default=1_000_000, ge=1_000, le=100_000_000)
    """Records that may wait to be sent, about 200 octets each; of more the oldest are dropped and counted"""

    @field_validator("collectors")
    @classmethod
    def _check_ports(cls, collectors: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
        for number, (host, port) in enumerate(collectors):
            if port == 0:
                raise ValueError(f"{host}:0 has no port; collectors of IPFIX mostly listen on 4739")
            if (host, port) in collectors[:number]:
                raise ValueError(f"{host}:{port} is given twice and would get every record twice; give it once")
        return collectors

    def limits(self) -> ExportLimits:
        """Return how messages are made, in the encoder's own terms."""
        return ExportLimits(self.message_bytes, int(self.template_refresh * 1000), self.template_refresh_messages)


DissectedProtocol = Literal["http", "http2", "dns", "tls", "mysql", "pgsql", "tds", "tns", "ldap", "smtp", "ftp"]


class EvidenceSettings(Section):
    """[capture.evidence]: the latest packets of each business, kept as a capture file when a symptom shows.

    Only the headers of packets are kept, but for the businesses in `payload`. Findings hold codes and counts only.
    """

    enabled: bool = True
    """Keep packets in memory, and write files on symptoms; it takes a SPAN port to have any packets"""
    window: Duration = Field(default=60.0, ge=1.0, le=3600.0)
    """Older packets are forgotten"""
    ring_bytes: int = Field(default=1024 * 1024, ge=65_536, le=1024 * 1024 * 1024)
    """Memory for each business's packets, about 10,000 of headers only; the oldest are overwritten"""
    max_bytes: int = Field(default=64 * 1024 * 1024, ge=65_536)
    """Memory for the packets of all; businesses for which none is left have no evidence"""
    payload: tuple[str, ...] = ()
    """Businesses of which payload may be kept too, by id; without it, findings speak of TCP only"""
    payload_octets: int = Field(default=1024, ge=0, le=9000)
    """How much payload of each packet, for those"""
    pause: Duration = Field(default=300.0, ge=0.0)
    """The packets of one business are not written more often than this"""
    keep_count: int = Field(default=200, ge=1, le=100_000)
    """When there are more files, the oldest are deleted"""
    keep_bytes: int = Field(default=256 * 1024 * 1024, ge=65_536)
    """When files take more together, the oldest are deleted"""
    keep_age: Duration = Field(default=7 * 86_400.0, gt=0.0)
    """Older files are deleted"""
    decode_as: dict[int, DissectedProtocol] = Field(default_factory=dict)
    """Protocols by port, where tshark does not know them: `{ "8080" = "http" }`"""
    tshark: str = ""
    """Path of tshark; without it, the first one where programs usually are"""
    dissect_timeout: Duration = Field(default=60.0, gt=0.0, le=600.0)
    """How long looking into one file may take; what was found until shortly before is told"""
    dissect_cpu: Duration = Field(default=20.0, ge=1.0, le=600.0)
    """Processor time that it may take"""
    dissect_memory_bytes: int = Field(default=1024 * 1024 * 1024, ge=512 * 1024 * 1024)
    """Address space that each of its two processes may take; they use about 160 MiB of memory"""
    dissect_packets: int = Field(default=4000, ge=1, le=1_000_000)
    """Packets that say something (answers, handshakes, resets) that are looked at, about 400 per second"""

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        if self.max_bytes < self.ring_bytes:
            raise ValueError(
                f"max_bytes = {self.max_bytes} leaves no memory for one ring; make it ring_bytes = {self.ring_bytes} "
                "or more"
            )
        if self.keep_bytes < 2 * self.ring_bytes:  # a packet takes more in a file
            raise ValueError(
                f"keep_bytes = {self.keep_bytes} is less than the file of one ring may take; make it twice ring_bytes, "
                f"{2 * self.ring_bytes}, or more"
            )
        return self

    def ring_limits(self, *, flows: int, threads: int = 1) -> RingLimits:
        """Return the bounds of each of `threads` recorders beside flow tables of `flows` rows."""
        return RingLimits(
            flows=flows,
            window=int(self.window * 1e9),
            ring_octets=max(self.ring_bytes // threads, 65_536),
            max_octets=max(self.max_bytes // threads, 65_536),
            payload_octets=dict.fromkeys(self.payload, self.payload_octets),
        )

    def keep_limits(self) -> KeepLimits:
        """Return the bounds of the folder."""
        return KeepLimits(files=self.keep_count, octets=self.keep_bytes, seconds=self.keep_age)

    def service_limits(self) -> ServiceLimits:
        """Return how often evidence is collected."""
        return ServiceLimits(pause=self.pause)

    def dissect_limits(self) -> DissectLimits:
        """Return the bounds of one dissection."""
        return DissectLimits(
            seconds=self.dissect_timeout,
            cpu_seconds=int(self.dissect_cpu),
            memory_octets=self.dissect_memory_bytes,
            file_octets=max(2 * self.ring_bytes, DissectLimits().file_octets),
            packets=self.dissect_packets,
            tshark=self.tshark,
        )


class CaptureSettings(Section):
    """[capture]: where traffic is seen."""

    netflow: NetflowSettings = NetflowSettings()
    export: ExportSettings = ExportSettings()

    evidence: EvidenceSettings = EvidenceSettings()
    exporter: dict[str, ExporterSettings] = Field(default_factory=dict)
    span: dict[str, SpanSettings] = Field(default_factory=dict)

    def exporter_rules(self) -> tuple[ExporterRule, ...]:
        """Return what is known of exporters in the decoder's own terms."""
        return tuple(
            ExporterRule(
                name, one.address, one.sampling_rate, one.default_sampling_rate, one.time_source
            )
            for name, one in self.exporter.items()
        )  # fmt: skip


def repeated_addresses(exporters: Mapping[str, ExporterSettings]) -> Iterator[tuple[str, str]]:
    """Yield (name, what is wrong) of each exporter whose address belongs to one before it."""
    for name, first, address in _repeated({name: exporter.address for name, exporter in exporters.items()}):
        yield name, f"{address} is the address of exporter '{first}' too; give each address once"


def repeated_interfaces(spans: Mapping[str, SpanSettings]) -> Iterator[tuple[str, str]]:
    """Yield (name, what is wrong) of each span whose interface belongs to one before it."""
    for name, first, interface in _repeated({name: span.interface for name, span in spans.items()}):
        yield name, f"{interface} is the interface of span '{first}' too; give each interface once"


def _repeated(values: Mapping[str, T]) -> Iterator[tuple[str, str, T]]:
    """Yield (name, the first name with its value, the value) of each name whose value another had before."""
    owner: dict[T, str] = {}
    for name, value in values.items():
        first = owner.setdefault(value, name)
        if first != name:
            yield name, first, value
