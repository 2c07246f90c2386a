"""Texts for docs/configuration.md that the code has no place for; tools/docs.py puts them where they belong."""

from collections.abc import Mapping
from typing import Final

MEANINGS: Final[Mapping[str, str]] = {
    "daemon.state_directory": "Journal, series store, spool and API token. Made at the first start, mode 0700",
    "daemon.services": "The file of businesses, nodes and checks",
    "daemon.ip_plan": "The file of who sits where",
    "daemon.log_level": "What is logged: this and everything worse",
    "capture.netflow.listen": "UDP addresses for NetFlow, IPFIX and sFlow, told apart by their version. `[]` receives "
    "nothing",
    "capture.netflow.receive_buffer_bytes": "Asked of the kernel for each socket; it grants at most "
    "`net.core.rmem_max`",
    "capture.netflow.queue_blocks": "Blocks of up to 2,048 datagrams between receiving and decoding. When there are "
    "more, the oldest is dropped and counted",
    "capture.netflow.default_sampling_rate": "For exporters that sample and announce no rate: 100 means one packet "
    "of 100",
    "capture.netflow.max_exporters": "Exporters known at a time; datagrams of more are refused and counted",
    "capture.netflow.max_domains_per_exporter": "Observation domains (NetFlow v9: source ids) of one exporter",
    "capture.netflow.max_templates": "Template ids of one exporter",
    "capture.netflow.max_fields": "Fields of one template",
    "capture.netflow.pending_bytes": "Memory for data that came before its template, over all exporters",
    "capture.netflow.pending_bytes_per_template": "The part of it that one missing template may use",
    "capture.netflow.pending_age": "How long such data waits for its template",
    "store.kind": "Where series are kept: `embedded` is a DuckDB file in the state directory, `influx2` and `influx1` "
    "are servers with that API",
    "store.flush_every": "How long points may wait in memory before they are made durable",
    "store.queue_points": "Points in memory at most. A writer waits a moment for room, then points are dropped and "
    "counted",
    "store.keep": "How long the embedded store keeps points. An InfluxDB server has its own retention",
    "store.keep_by_series": "Other times for single series of the embedded store: a measurement, alone or with tags "
    'as in line protocol, such as `"btimd_traffic,interval=10s" = "30d"`. The key with the most tags that fit counts',
    "store.influx.url": "The server",
    "store.influx.org": "2.x: the organization; needed with `influx2`",
    "store.influx.bucket": "2.x: the bucket; it must exist",
    "store.influx.token_file": "2.x: file with a token that may read and write the bucket",
    "store.influx.database": "1.x: the database; it must exist",
    "store.influx.username": "1.x: the user, where the server asks for one",
    "store.influx.password_file": "1.x: file with the user's password; needed with `username`",
    "store.influx.ca_file": "Certificate authorities to trust instead of the system's (PEM)",
    "store.influx.timeout": "For connecting and for each answer",
    "probes.bad_of": "So many bad samples of the last `window` make a key indicator a symptom",
    "probes.window": "So many samples are looked at; when all of them are good again the symptom is cleared",
    "itsm.users_medium": "From so many users on line on, the impact is at least medium",
    "itsm.users_high": "From so many users on line on, the impact is high",
    "itsm.regions_high": "From so many regions hit on, the impact is high",
    "itsm.businesses_high": "From so many businesses hit on, the impact is high",
    "itsm.webhook.NAME.url": "The receiver; https, or http on this machine. Never logged: its path may be a secret",
    "itsm.webhook.NAME.allow_plain_http": "Allow http to another machine: everybody on the way can read incidents",
    "itsm.webhook.NAME.timeout": "For a whole request",
    "itsm.webhook.NAME.max_in_flight": "Requests to this receiver at a time; events of one incident go one by one",
    "api.grpc_listen": "Where gRPC is served",
    "api.http_listen": "Where `/metrics`, `/healthz` and `/readyz` are served",
    "api.cert_file": "Certificate chain (PEM); with `key_file` it turns TLS on for gRPC and HTTP",
    "api.key_file": "Its private key (PEM)",
    "api.allow_plaintext": "Listen beyond loopback without TLS, where the network itself is protected",
    "api.tokens_file": "Who may call; without it one token of role manager is made in the state directory",
    "api.open_reads": "Reads need no token, on a listener that is on loopback",
    "api.max_streams": "Open streams; more are refused and counted",
    "api.max_calls": "Calls at a time, besides streams",
    "api.default_interval": "The interval that is answered for when a caller names none",
    "service.ID.name": "For people",
    "service.ID.name_zh": "Its Chinese name",
    "service.ID.criticality": "How much the enterprise depends on it; weighs in impact and urgency of incidents",
    "service.ID.owner": "Who is told; free text",
    "service.ID.availability_percent": "Its target; without it that of `[sla]` counts",
    "service.ID.needs": "Nodes and services it stands on: ids, or "
    '`{ node = "ID", strength = 0.3 }`, where the strength is how likely this one suffers when that one fails: below '
    "0.5 it is degraded then, not down",
    "service.ID.rollup": "How it stands when some of its needs are bad: docs/model.md",
    "service.ID.quorum": 'With `rollup = "quorum"`: it works while so many of its needs do',
    "service.ID.weights": 'With `rollup = "weighted"`: weight by need, 1 for those not named',
    "service.ID.ignore": "Needs that are watched and do not count",
    "service.ID.standby": 'With `rollup = "best"`: needs that only wait until an active one fails',
    "service.ID.regions": "Regions of the IP plan it may be used from; a user elsewhere is an unexpected talker",
    "service.ID.user_active": "How long after its last traffic a user counts as active; without it as `[flows]` says",
    "service.ID.user_idle": "How long after its last traffic a user counts as idle, then as gone",
    "group.ID.name": "For people",
    "group.ID.name_zh": "Its Chinese name",
    "group.ID.members": "Services and other groups",
    "group.ID.rollup": "How its state follows from its members': docs/service-view.md",
    "group.ID.quorum": 'With `rollup = "quorum"`: good while so many members are',
    "group.ID.weights": 'With `rollup = "weighted"`: weight by member, 1 for those not named',
    "group.ID.ignore": "Members that are shown and do not count",
    "indicator.ID.service": "The business whose figures it looks at",
    "indicator.ID.name": "For people; without it the id",
    "indicator.ID.degraded": "Expression over figures that means degraded: docs/service-view.md",
    "indicator.ID.bad": "Expression over figures that means bad",
    "traffic.prefixes": "Where the servers are, without host bits",
    "traffic.protocol": "`tcp`, `udp`, `sctp`, `icmp`, `icmp6`, `any` or a number up to 255",
    "traffic.ports": 'Ports of the servers: `443` or `"8000-8010"`. Without: every port',
    "traffic.clients": "Only traffic with clients of these prefixes. Without: every client",
    "rule.ID.services": "The owners: each of them is shown this traffic",
    "rule.ID.node": "The node that the servers are",
    "node.ID.kind": "The layer it stands on; a business is written as `[service.ID]`",
    "node.ID.name": "For people; without it the id",
    "node.ID.needs": "Nodes and services it stands on: ids, or "
    '`{ node = "ID", strength = 0.3 }`, where the strength is how likely this one suffers when that one fails: below '
    "0.5 it is degraded then, not down",
    "node.ID.rollup": "How it stands when some of its needs are bad: docs/model.md",
    "node.ID.quorum": 'With `rollup = "quorum"`: it works while so many of its needs do',
    "node.ID.weights": 'With `rollup = "weighted"`: weight by need, 1 for those not named',
    "node.ID.ignore": "Needs that are watched and do not count",
    "node.ID.standby": 'With `rollup = "best"`: needs that only wait until an active one fails',
    "node.ID.region": 'With `kind = "user"`: the region of the IP plan whose users reach everything through its needs',
    "node.ID.device": "Nodes with the same text share one box, and the load limits of its probes. Without "
    "it the host of their checks decides",
    "node.ID.prior": "How likely it is to be the cause before anything is known; without it by kind",
    "check.ID.node": "The node or service that is asked",
    "check.ID.kind": "The protocol; its options stand [below](#options-of-a-check)",
    "check.ID.host": "Address or name that is asked",
    "check.ID.port": "Needed by every kind but icmp",
    "check.ID.timeout": "For the whole check; without an answer by then it is bad",
    "check.ID.slow_over": "A good answer that takes longer is bad too (slow). Not above `timeout`",
    "check.ID.every": "Makes it a key indicator, asked so often; without it only a diagnosis asks",
    "check.ID.closure": "What must work for it to be good: `local` the node and what it runs on, `full` everything "
    "the node needs as well. Without it by kind",
    "check.ID.cost": "Load on the target, 1 = one echo; without it by kind",
    "check.ID.options": "What the kind offers, see [below](#options-of-a-check)",
}
"""Meanings of keys that have no docstring of their own in the code."""

MISTAKEN: Final[Mapping[str, str]] = {
    "btimd.toml": """\
[capture.netflow]
lisen = ["0.0.0.0:2055"]
pending_age = 300

[api]
http_listen = "10.0.0.5:8551"
""",
    "services.toml": """\
[service.erp]
name = "ERP"
criticality = "very high"
needs = ["erp-wbe"]
prefixes = ["10.20.1.10/24"]

[node.erp-web]
kind = "application"

[check.erp-page]
node = "erp"
kind = "http"
host = "10.20.1.10"
port = 443
timeout = "1s"
slow_over = "2s"
options = { pth = "/health" }
""",
    "ipplan.csv": """\
prefix,region,segment,person
10.1.0.0/16,north,,
10.1.1.1-10.1.1.6,,sales,
10.9.0.0/16,,stores,
""",
}
"""A configuration with a mistake of each sort, for the example of how they are told."""
