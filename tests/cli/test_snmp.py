"""`btimd snmp` on real agents: snmpd, and snmpsim playing a switch; and on the facts of a device made by hand."""

import asyncio
import json
from pathlib import Path

import pytest

from btimd.cli.btimd import main
from btimd.cli.common import plain_console
from btimd.cli.snmp import picture
from btimd.model.topology import DeviceFacts, FactSource, InterfaceFacts, NeighbourFacts
from btimd.probes.snmptargets import Target, User
from tests.probes import snmpagents
from tests.probes.snmpdevices import huawei

FAST = ("--max-requests-per-second", "1000", "--timeout", "2s")
IMPATIENT = ("--timeout", "200ms", "--retries", "1")

FACTS = DeviceFacts(
    "core", "2001:db8::1", 0,
    sys_name="core-1", sys_description="Router\r\nVersion 7 \x1b[2J", uptime_seconds=90_061.0, chassis="02b100000000",
    interfaces=(
        InterfaceFacts(1, "Gi0/1", alias="to edge", speed=10**9, addresses=("10.0.0.1/24",), in_octets=5),
        InterfaceFacts(2, "Gi0/2", oper_up=False, in_octets=5, hc=False),
        InterfaceFacts(3, "", description="Vlan 1", admin_up=False, oper_up=False),
    ),
    neighbours=(
        NeighbourFacts(FactSource.LLDP, 1, "02c100000000", "edge-1", "5", "Gi0/48", ("10.0.0.2", "2001:db8::2")),
        NeighbourFacts(FactSource.CDP, 0),
    ),
    arp=((1, "10.0.0.2", "02c100000000"),), fdb=((1, "02c100000000"),) * 2, routes=(("0.0.0.0/0", "10.0.0.2", 1),),
    requests=31, octets=18_200, partial=("ipNetToMediaTable: more than 10 rows",),
)  # fmt: skip

PICTURE = """\
core ([2001:db8::1]:161) asked with SNMPv3 as btimd, authNoPriv
name        core-1
software    Router Version 7 \ufffd[2J
chassis id  02b100000000
up for      1 d 1 h

index  interface  state      speed  counters  addresses    alias
    1  Gi0/1      ● up    1 Gbit/s  64 bit    10.0.0.1/24  to edge
    2  Gi0/2      ✖ down         ?  32 bit
    3  Vlan 1     · off          ?  not told

interface  by    neighbour  its port  chassis       addresses
Gi0/1      lldp  edge-1     Gi0/48    02c100000000  10.0.0.2 2001:db8::2
?          cdp   -          -         -

told  3 interfaces, 2 neighbours, 1 of ARP, 2 of the forwarding table, 1 route
cost  31 requests, 18.2 koctets both ways, 3.1 s
not read whole:
  ipNetToMediaTable: more than 10 rows
"""


def secret(folder: Path, text: str, name: str = "secret") -> str:
    path = folder / name
    path.write_text(text + "\n")
    path.chmod(0o600)
    return str(path)


async def snmp(*arguments: object) -> int:
    """Run the command beside the test's own loop."""
    return await asyncio.to_thread(main, ["snmp", *map(str, arguments)])


def test_people_see_who_was_asked_what_was_told_and_what_it_cost(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    target = Target("core", "2001:db8::1", User("btimd", "sha256", b"secret-phrase"))
    plain_console().print(picture(FACTS, target, 3.1))
    shown = capsys.readouterr().out

    assert "\n".join(line.rstrip() for line in shown.splitlines()) + "\n" == PICTURE


@pytest.mark.slow
@pytest.mark.real_server
async def test_a_switch_is_asked_with_a_community_and_without_a_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with snmpagents.simulator(tmp_path, core=huawei()) as port:
        how = ("127.0.0.1", "--port", port, "--community-file", secret(tmp_path, "core"), *FAST)
        as_json = await snmp(*how, "--table", "lldp", "--table", "fdb", "--json")
        found = json.loads(capsys.readouterr().out)
        as_tables = await snmp(*how)
        shown = capsys.readouterr()

    assert (as_json, as_tables, shown.err) == (0, 0, "")
    assert (found["name"], found["error"], found["partial"]) == ("core-1", "", [])
    assert (len(found["neighbours"]), len(found["fdb"]), found["arp"], found["routes"]) == (1, 300, [], [])
    assert found["requests"] < 40
    assert shown.out.startswith(f"127.0.0.1:{port} asked with SNMPv2c\nname        core-1 ")
    assert "1 neighbour, " in shown.out


@pytest.mark.slow
@pytest.mark.real_server
async def test_a_device_is_asked_as_the_configuration_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret(tmp_path, "authpass123", "auth")
    secret(tmp_path, "privpass123", "priv")
    lines = ("createUser btimd SHA-256 authpass123 AES privpass123", "rouser btimd priv", "sysName agent")
    async with snmpagents.snmpd(tmp_path, *lines) as port:
        (tmp_path / "btimd.toml").write_text(
            "[probes.snmp_defaults]\n"
            'user = "btimd"\nauth_protocol = "sha256"\nauth_key_file = "auth"\n'
            'priv_protocol = "aes128"\npriv_key_file = "priv"\nmax_requests_per_second = 1000\n'
            f"port = {port}\n"
            f'[probes.snmp.edge-7]\naddress = "127.0.0.1"\nport = {port}\ntables = ["addresses"]\n'
        )
        statuses = [
            await snmp(device, "--config", tmp_path, "--table", "lldp", "--json") for device in ("edge-7", "127.0.0.1")
        ]
        by_name, by_address = map(json.loads, capsys.readouterr().out.splitlines())
        wrong_key = await snmp("edge-7", "-c", tmp_path, "--user", "btimd", *IMPATIENT)
        with_own_user = capsys.readouterr()
        secret(tmp_path, "otherpass123", "auth")
        other_key = await snmp("edge-7", "-c", tmp_path / "btimd.toml")
        refused = capsys.readouterr()

    assert statuses == [0, 0]
    assert (by_name["name"], by_name["error"], by_address["name"]) == ("edge-7", "", "edge-7")
    assert (wrong_key, with_own_user.out) == (2, "")  # a user given here is asked without the configuration
    assert with_own_user.err.startswith("btimd snmp: address: 'edge-7' is no IP address; write")
    assert (other_key, refused.out) == (1, "")
    assert refused.err.splitlines()[0] == (
        f"edge-7 (127.0.0.1:{port}) asked with SNMPv3 as btimd, authPriv: the key of 'btimd' is another one there; "
        "check auth_protocol and auth_key_file"
    )


async def test_a_device_that_tells_nothing_is_status_1_with_the_reason_and_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    how = ("127.0.0.1", "--port", 1, "--community-file", secret(tmp_path, "public"), *IMPATIENT)
    as_tables = await snmp(*how)
    told = capsys.readouterr()
    as_json = await snmp(*how, "--json")
    found = json.loads(capsys.readouterr().out)

    reason, cost = told.err.splitlines()
    assert (as_tables, told.out, as_json) == (1, "", 1)
    assert (
        reason
        == found["error"]
        == (
            "127.0.0.1:1 asked with SNMPv2c: no answer to 2 requests; it is down or not reachable, or it does not know the "
            "community or this address (SNMPv2c does not tell them apart); check with ping, then its community and access "
            "list"
        )
    )
    assert cost.startswith("2 requests, ")
    assert "public" not in told.err


WRONG = {
    "core": "'core' is neither an IP address nor the name of a table [probes.snmp.NAME]; did you mean 'core-1'?",
    "fe80::1%eth0 --user x": "address: 'fe80::1%eth0' is an address with an interface; write an address that needs",
    "10.0.0.9": "version 2c needs community_file; write the file that holds the community",
    "10.0.0.9 --auth-protocol md5": "--auth-protocol needs --user; write the name of the SNMPv3 user too",
    "10.0.0.9 --community-file x --context y": "--context needs --user; write the name of the SNMPv3 user too",
    "10.0.0.9 --user x --auth-protocol md5": "auth_protocol and auth_key_file belong together; write both or none",
    "10.0.0.9 --user x --port 70000": "port: 70000: input should be less than or equal to 65535",
    "10.0.0.9 --user x --timeout 2": "timeout: '2' is no duration; write a number with its unit",
    "10.0.0.9 --user x --table arp --table arp": "tables: arp stands there twice; write it once",
    "core-1": "cannot read {folder}/missing: No such file or directory; put the secret there, readable by btimd only",
    "10.0.0.9 --config {folder}/no": "{folder}/no is not there; give --community-file or --user to ask without",
    "10.0.0.9 --community-file {folder}/open": "{folder}/open can be read by others (mode 644); run chmod 600",
}


@pytest.mark.parametrize("arguments", WRONG)
def test_wrong_usage_is_status_2_with_one_sentence(
    arguments: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "btimd.toml").write_text('[probes.snmp.core-1]\naddress = "10.0.0.1"\ncommunity_file = "missing"\n')
    (tmp_path / "open").write_text("public\n")
    (tmp_path / "open").chmod(0o644)
    status = main(["snmp", "-c", str(tmp_path), *arguments.format(folder=tmp_path).split()])
    told = capsys.readouterr()

    assert (status, told.out, len(told.err.splitlines())) == (2, "", 1)
    assert told.err.startswith("btimd snmp: " + WRONG[arguments].format(folder=tmp_path))


def test_a_configuration_without_probes_has_no_credentials(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "btimd.toml").write_text("[daemon]\n")

    assert main(["snmp", "10.0.0.1", "-c", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        "btimd snmp: version 2c needs community_file; write the file that holds the community\n"
    )
