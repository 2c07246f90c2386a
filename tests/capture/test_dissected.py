from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from btimd.capture.dissected import MOST_OBSERVATIONS, Layer, Tally

CLIENT, SERVER = ("10.9.9.9", 40_000), ("10.1.2.3", 80)
SYN, SYN_ACK, ACK, RST = "0x0002", "0x0012", "0x0010", "0x0014"
AT = 1_700_000_000.0


def tcp(
    *layers: Layer,
    to_server: bool = False,
    flags: str = ACK,
    stream: int = 0,
    port: int = 80,
    more: Mapping[str, Sequence[str]] | None = None,
) -> list[Layer]:
    ends = [CLIENT, (SERVER[0], port)]
    source, destination = ends if to_server else ends[::-1]
    return [
        Layer("ip", {"ip.src": [source[0]], "ip.dst": [destination[0]]}),
        Layer(
            "tcp",
            {
                "tcp.srcport": [str(source[1])],
                "tcp.dstport": [str(destination[1])],
                "tcp.stream": [str(stream)],
                "tcp.flags": [flags],
                **(more or {}),
            },
        ),
        *layers,
    ]


def tallied(
    *packets: list[Layer], ports: frozenset[int] = frozenset(), until: float | None = None
) -> list[tuple[object, ...]]:
    tally = Tally(ports)
    for n, layers in enumerate(packets):
        tally.add(AT + n, layers)
    return [
        (one.kind, one.value, one.server, one.count, one.of, one.first_seen / 1000 - AT)
        for one in tally.observations(until)
    ]


def http(*codes: str) -> Layer:
    return Layer("http", {"http.response.code": codes})


def test_errors_are_counted_out_of_all_answers_of_a_server() -> None:
    assert tallied(
        tcp(http("200")), tcp(http("503")), tcp(http("404", "503")), tcp(http("302"), port=81), tcp(http(), to_server=True)
    ) == [("http", "503", "10.1.2.3:80", 2, 4, 1.0), ("http", "404", "10.1.2.3:80", 1, 4, 2.0)]  # fmt: skip


def test_http_2_answers_are_http_answers() -> None:
    assert tallied(tcp(Layer("http2", {"http2.headers.status": ["500", "200"]}))) == [
        ("http", "500", "10.1.2.3:80", 1, 2, 0.0)
    ]


def test_ipv6_servers_and_the_innermost_packet_of_a_tunnel_count() -> None:
    inner = Layer("ipv6", {"ipv6.src": ["2001:DB8:0::1"], "ipv6.dst": ["2001:db8::2"]})
    outer, segment, answer = tcp(http("500"))
    assert tallied([outer, inner, segment, answer]) == [("http", "500", "[2001:db8::1]:80", 1, 1, 0.0)]


def test_dns_results_have_names() -> None:
    def answer(code: str, response: str = "1") -> list[Layer]:
        return [
            Layer("ip", {"ip.src": ["10.1.2.3"], "ip.dst": ["10.9.9.9"]}),
            Layer("udp", {"udp.srcport": ["53"], "udp.dstport": ["999"]}),
            Layer("dns", {"dns.flags.response": [response], "dns.flags.rcode": [code]}),
        ]

    found = tallied(answer("0"), answer("2"), answer("3"), answer("11", "True"), answer("2", "0"), answer("2", "False"))
    assert [one[1:5] for one in found] == [
        ("SERVFAIL", "10.1.2.3:53", 1, 4), ("code 11", "10.1.2.3:53", 1, 4), ("NXDOMAIN", "10.1.2.3:53", 1, 4),
    ]  # fmt: skip


def test_a_tls_alert_says_whose_it_is() -> None:
    hello = Layer("tls", {"tls.handshake.type": ["1"]})
    found = tallied(
        tcp(hello, to_server=True, port=9443),
        tcp(Layer("tls", {"tls.alert_message.desc": ["40"]}), port=9443),
        tcp(Layer("tls", {"tls.alert_message.desc": ["48", "0", "90"]}), to_server=True, port=9443),
        tcp(Layer("tls", {"tls.alert_message.desc": ["250"]}), port=9443),
    )
    assert [one[:5] for one in found] == [
        ("tls", "handshake_failure (40) of the server", "10.1.2.3:9443", 1, 1),
        ("tls", "unknown (250) of the server", "10.1.2.3:9443", 1, 1),
        ("tls", "unknown_ca (48) of the client", "10.1.2.3:9443", 1, 1),
    ]


def test_databases_say_numbers_and_states_and_nothing_else_passes() -> None:
    mysql = {"mysql.error_code": ["1040"], "mysql.sqlstate": ["08004"], "mysql.error.message": ["swordfish"]}
    odd = {"mysql.error_code": ["1041", "swordfish"], "mysql.sqlstate": ["swordfish"]}
    error = {"pgsql.type": ["Error"], "pgsql.severity": ["FATAL", "FATAL"], "pgsql.code": ["53300"]}
    local = {"pgsql.type": ["Error"], "pgsql.severity": ["swordfish"], "pgsql.code": ["53300"]}
    strange = {"pgsql.type": ["Error"], "pgsql.severity": ["ERROR"], "pgsql.code": ["swordfish"]}
    notice = {"pgsql.type": ["Notice"], "pgsql.severity": ["WARNING"], "pgsql.code": ["01000"]}
    found = tallied(
        tcp(Layer("mysql", mysql), port=3306),
        tcp(Layer("mysql", odd), port=3306),
        tcp(Layer("pgsql", error), port=5432),
        *(tcp(Layer("pgsql", fields), port=5432) for fields in (local, strange, notice)),
        tcp(Layer("pgsql", {"pgsql.type": ["Ready for query"]}), port=5432),
        tcp(Layer("tds", {"tds.type": ["4"], "tds.status": ["0x01"], "tds.error.number": ["18456"]}), port=1433),
        tcp(Layer("tns", {"tns.refuse_data": ["(DESCRIPTION=(ERR=12514)(swordfish))"]}), port=1521),
    )
    assert [one[:5] for one in found] == [
        ("mysql", "1040 (08004)", "10.1.2.3:3306", 1, 0),
        ("mysql", "1041", "10.1.2.3:3306", 1, 0),
        ("postgresql", "FATAL 53300", "10.1.2.3:5432", 1, 2),
        ("mssql", "18456", "10.1.2.3:1433", 1, 1),
        ("oracle", "TNS-12514", "10.1.2.3:1521", 1, 0),
    ]


def test_numbers_of_oracle_are_taken_out_of_text() -> None:
    text = b"\x00 swordfish ORA-01017: invalid ORA-99 ORA-123456".hex(":")
    found = tallied(tcp(port=1521, more={"tcp.payload": [text]}), tcp(port=1521, more={"tcp.payload": ["no octets"]}))
    assert [one[:5] for one in found] == [("oracle", "ORA-01017", "10.1.2.3:1521", 1, 0)]


def test_results_of_ldap_and_replies_of_mail_and_files() -> None:
    def results(*codes: str) -> list[Layer]:
        return tcp(Layer("ldap", {"ldap.resultCode": codes}), port=389)

    found = tallied(
        results("0", "49"), results("14"), results("32", "123"),
        tcp(Layer("smtp", {"smtp.response.code": ["250", "451"]}), port=25),
        tcp(Layer("ftp", {"ftp.response.code": ["530"]}), port=21),
    )  # fmt: skip
    assert [one[1:5] for one in found] == [
        ("invalidCredentials (49)", "10.1.2.3:389", 1, 5),
        ("result (123)", "10.1.2.3:389", 1, 5),
        ("451", "10.1.2.3:25", 1, 2),
        ("530", "10.1.2.3:21", 1, 1),
        ("noSuchObject (32)", "10.1.2.3:389", 1, 5),
    ]


def test_connections_are_refused_unanswered_or_reset() -> None:
    found = tallied(
        tcp(to_server=True, flags=SYN), tcp(flags=RST),
        tcp(to_server=True, flags=SYN, stream=1), tcp(to_server=True, flags=SYN, stream=1),
        tcp(to_server=True, flags=SYN, stream=2), tcp(flags=SYN_ACK, stream=2), tcp(flags=RST, stream=2),
        tcp(flags=RST, stream=2),
        tcp(to_server=True, flags=SYN, stream=3), tcp(to_server=True, flags=RST, stream=3),
        tcp(to_server=True, flags=RST, stream=4),
        tcp(to_server=True, flags=SYN, stream=5),
        until=AT + 11.9,
    )  # fmt: skip
    assert [one[:5] for one in found] == [
        ("tcp-refused", "", "10.1.2.3:80", 1, 4),
        ("tcp-unanswered", "", "10.1.2.3:80", 1, 4),
        ("tcp-reset", "by the client", "10.1.2.3:80", 1, 0),
        ("tcp-reset", "by the server", "10.1.2.3:80", 1, 0),
    ]


def test_losses_and_full_buffers_have_a_direction() -> None:
    again, full = {"tcp.analysis.retransmission": [""]}, {"tcp.analysis.zero_window": [""]}
    found = tallied(tcp(more=again), tcp(more=again), tcp(to_server=True, more=again), tcp(more=full), tcp(http("503")))
    assert [one[:5] for one in found] == [
        ("http", "503", "10.1.2.3:80", 1, 1),
        ("tcp-retransmission", "to the client", "10.1.2.3:80", 2, 0),
        ("tcp-retransmission", "to the server", "10.1.2.3:80", 1, 0),
        ("tcp-zero-window", "by the server", "10.1.2.3:80", 1, 0),
    ]


def test_the_server_of_a_connection_is_who_has_a_known_port_or_the_lower_one() -> None:
    reset = tcp(flags=RST, port=50_000)
    assert [one[2] for one in tallied(reset)] == ["10.9.9.9:40000"]
    assert [one[2] for one in tallied(reset, ports=frozenset({50_000}))] == ["10.1.2.3:50000"]
    assert [one[2] for one in tallied(tcp(flags=RST, port=5_000))] == ["10.1.2.3:5000"]


def test_what_makes_no_sense_is_ignored() -> None:
    network, segment = tcp()
    bad = Layer("ip", {"ip.src": ["swordfish"], "ip.dst": ["10.0.0.1"]})
    port = Layer("tcp", {"tcp.srcport": ["99999"], "tcp.dstport": ["1"]})
    assert tallied([], [network], [segment], [bad, segment], [network, port], tcp(http("no", "99999", "-5"))) == []


def test_different_things_are_bounded_and_those_beyond_counted() -> None:
    tally = Tally()
    for n in range(2_100):
        tally.add(AT, tcp(http("500"), port=1 + n, stream=n))
    assert len(tally.observations()) == MOST_OBSERVATIONS
    assert tally.overflow == 100


FIELDS = ("http.response.code", "dns.flags.rcode", "pgsql.code", "pgsql.severity", "mysql.error_code", "mysql.sqlstate", "tls.alert_message.desc", "tns.refuse_data", "tcp.flags", "tcp.stream", "ip.src", "tcp.srcport", "tcp.payload", "ldap.resultCode", "tds.error.number")  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=20), st.integers(-(2**70), 2**70).map(str), st.sampled_from(["10.0.0.1", "ERROR", "1", "40"])
)
LAYERS = st.builds(
    Layer,
    st.sampled_from(["ip", "ipv6", "tcp", "udp", "http", "dns", "tls", "pgsql", "mysql", "tds", "tns", "ldap"]),
    st.dictionaries(st.sampled_from(FIELDS), st.lists(VALUES, max_size=3), max_size=8),
)


@given(st.lists(st.lists(LAYERS, max_size=6).map(lambda more: [*tcp(), *more]), max_size=8))
def test_anything_may_come(packets: list[list[Layer]]) -> None:
    tally = Tally()
    for layers in packets:
        tally.add(AT, layers)
    assert all(one.sentence.isascii() for one in tally.observations())
