"""What listens on a port, by the names that IANA gave (Service Name and Transport Protocol Port Number Registry) or
that the products themselves use, and which layer such a thing stands on. Own selection: what enterprises run.
"""  # noqa: D205  one sentence about the table and one about its origin

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from btimd.model.service import NodeKind

TCP: Final = 6
UDP: Final = 17
PROTOCOL_NAMES: Final = {1: "icmp", TCP: "tcp", UDP: "udp", 58: "icmp6", 132: "sctp"}
DYNAMIC_PORTS: Final = 49_152
"""First port of the range that is never assigned (RFC 6335 section 6); Linux takes ports for clients from 32768 on."""
LINUX_EPHEMERAL: Final = 32_768
WELL_KNOWN_END: Final = 1024


class Use(StrEnum):
    """What traffic to a port says about who needs whom."""

    WORK = "work"
    """Somebody's work needs the answer."""
    SHARED = "shared"
    """Names, log-on, directories: everybody needs it, all the time."""
    BACKGROUND = "background"
    """Time, logs, monitoring, backup, discovery of neighbours: nobody's work stops without it."""
    MANAGEMENT = "management"
    """Administrators and their tools: says nothing of what the server is for."""
    DYNAMIC_CONTROL = "dynamic-control"
    """Work; further ports are agreed on over it (FTP, RPC)."""


@dataclass(frozen=True, slots=True)
class PortName:
    """A short name, the kind of node that listens there, and what its traffic says."""

    name: str
    kind: NodeKind
    use: Use = Use.WORK


_A, _M, _D, _S = NodeKind.APPLICATION, NodeKind.MIDDLEWARE, NodeKind.DATABASE, NodeKind.SHARED
_TABLE: Final = (
    (_A, Use.WORK, "web:80,443,8000,8008,8080,8081,8088,8443,8888 smtp:25,465,587 pop3:110,995 imap:143,993"),
    (_A, Use.WORK, "smb:445,139 nfs:2049 afp:548 sip:5060,5061 ipp:631 printer:515,9100 rtsp:554 svn:3690 git:9418"),
    (_A, Use.WORK, "notes:1352 sap-gui:3200-3299 sap-gateway:3300-3399 sap-message:3600-3699 ica:1494,2598 xmpp:5222"),
    (_A, Use.WORK, "tomcat-ajp:8009 dicom:104,11112 hl7:2575 tacacs-web:8444 rtmp:1935 iscsi:3260 lpd-web:8631"),
    (_A, Use.DYNAMIC_CONTROL, "ftp:21,990 rpc:135,111 tftp:69"),
    (_D, Use.WORK, "oracle:1521,1522,1526,1529,2484 sqlserver:1433,1434 mysql:3306,33060 postgres:5432,5433,6432"),
    (_D, Use.WORK, "db2:50000,50001,523 sybase:5000,4100 informix:1526,9088 mongodb:27017-27019 redis:6379,6380,26379"),
    (_D, Use.WORK, "cassandra:9042,9160 elasticsearch:9200 hana:30013,30015,30041 couchdb:5984 influxdb:8086 dm:5236"),
    (_D, Use.WORK, "clickhouse:8123,9440 neo4j:7687 hbase:16000,16020 gbase:5258 kingbase:54321 oceanbase:2881"),
    (_D, Use.WORK, "memcached:11211 couchbase:11210,8091 firebird:3050 teradata:1025 tidb:4000 solr:8983 riak:8087"),
    (_M, Use.WORK, "mq:1414,1415 amqp:5672,5671 activemq:61616 stomp:61613 kafka:9092,9093 mqtt:1883,8883 nats:4222"),
    (_M, Use.WORK, "zookeeper:2181 etcd:2379 weblogic:7001,7002 websphere:9080,9443,2809 tuxedo:7100 jms:7676"),
    (_M, Use.WORK, "rmi:1099"),
    (_M, Use.WORK, "rocketmq:9876,10911 dubbo:20880 nacos:8848 consul:8500 eureka:8761 grpc:50051 thrift:9090"),
    (_S, Use.SHARED, "dns:53 kerberos:88,464 ldap:389,636,3268,3269 dhcp:67,68 radius:1812,1813,1645,1646 tacacs:49"),
    (_S, Use.SHARED, "wins:42 netbios:137,138 proxy:3128 socks:1080"),
    (_S, Use.BACKGROUND, "ntp:123 ptp:319,320 syslog:514,6514 snmp:161 snmptrap:162 mdns:5353 llmnr:5355 ssdp:1900"),
    (_S, Use.BACKGROUND, "zabbix:10050,10051 node-exporter:9100 nrpe:5666 netflow:2055,4739,9995 sflow:6343"),
    (_S, Use.BACKGROUND, "netbackup:1556,13720,13724,13782 bacula:9101-9103 networker:7937-7940 tsm:1500"),
    (_S, Use.BACKGROUND, "veeam:6160-6163"),
    (_S, Use.BACKGROUND, "wsus:8530,8531 sccm:10123 puppet:8140 salt:4505,4506 wsd:3702 dhcpv6:546,547 ndmp:10000"),
    (_S, Use.BACKGROUND, "graphite:2003 statsd:8125 collectd:25826 beats:5044 gelf:12201 prometheus:9273 ipmi:623"),
    (_A, Use.MANAGEMENT, "ssh:22 telnet:23 rdp:3389 vnc:5900-5905 winrm:5985,5986 vmware:902 webmin:20000 rsh:512,513"),
)  # fmt: skip
_UNKNOWN: Final = PortName("", NodeKind.APPLICATION)


def _expand() -> dict[int, PortName]:
    """Return the table by port; a port that is written by itself goes before a range that holds it."""
    found: list[tuple[int, int, PortName]] = []
    for kind, use, text in _TABLE:
        for entry in text.split():
            name, _, ports = entry.partition(":")
            for piece in ports.split(","):
                first, _, last = piece.partition("-")
                found.append((int(first), int(last or first), PortName(name, kind, use)))
    out: dict[int, PortName] = {}
    for low, high, what in sorted(found, key=lambda one: one[1] - one[0]):
        for port in range(low, high + 1):
            out.setdefault(port, what)
    return out


PORTS: Final = _expand()


def port_name(port: int) -> PortName:
    """Return what listens on a port; with an empty name where the table does not know."""
    return PORTS.get(port, _UNKNOWN)


def is_ephemeral(port: int) -> bool:
    """Tell whether a port is more likely taken by a client, or agreed on at run time, than configured."""
    return port >= LINUX_EPHEMERAL and port not in PORTS


def ports_text(low: int, high: int) -> str:
    """Return a port or a range as services.toml writes it."""
    return str(low) if low == high else f"{low}-{high}"
