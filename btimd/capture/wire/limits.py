"""The bounds of what exporters can make a decoder remember."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """The bounds of what exporters can make a decoder remember, and the rate of those that announce none.

    template_lifetime_milliseconds: a template neither defined nor used for so long is given up; 0 = never for its age.
    idle_template_milliseconds: such a one makes room when its exporter has max_templates.
    """

    default_sampling_rate: int = 1
    max_exporters: int = 4096
    max_domains_per_exporter: int = 256
    max_templates: int = 1024
    max_fields: int = 512
    max_total_fields: int = 4_000_000
    pending_octets: int = 16 * 1024 * 1024
    pending_octets_per_template: int = 256 * 1024
    pending_milliseconds: int = 300_000
    template_lifetime_milliseconds: int = 0
    idle_template_milliseconds: int = 1_800_000
    max_names: int = 131_072
