"""What the operator can set about receiving flow export."""

from pydantic import Field

from btimd.capture.wire.decoder import DecodeLimits
from btimd.settings.fields import Duration, HostPort, Section


class NetflowSettings(Section):
    """[capture.netflow]: where NetFlow and IPFIX are received, and the bounds of what exporters can use up.

    listen: an empty list receives nothing. receive_buffer_bytes is asked of the kernel per socket. queue_blocks:
    blocks of up to 256 datagrams between receiving and decoding; the oldest is dropped when there are more.
    default_sampling_rate is for exporters that announce none. pending_*: data that comes before its template.
    """

    listen: tuple[HostPort, ...] = (("0.0.0.0", 2055), ("::", 2055))  # noqa: S104  a collector listens to its network
    receive_buffer_bytes: int = Field(default=32 * 1024 * 1024, ge=65_536, le=1024 * 1024 * 1024)
    queue_blocks: int = Field(default=1024, ge=1, le=1_000_000)
    default_sampling_rate: int = Field(default=1, ge=1, le=1 << 24)
    max_exporters: int = Field(default=4096, ge=1, le=1_000_000)
    max_domains_per_exporter: int = Field(default=256, ge=1, le=65_536)
    max_templates: int = Field(default=1024, ge=1, le=65_536)
    max_fields: int = Field(default=512, ge=1, le=8192)
    pending_bytes: int = Field(default=16 * 1024 * 1024, ge=0)
    pending_bytes_per_template: int = Field(default=256 * 1024, ge=0)
    pending_age: Duration = 300.0

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
        )


class CaptureSettings(Section):
    """[capture]: where traffic is seen."""

    netflow: NetflowSettings = NetflowSettings()
