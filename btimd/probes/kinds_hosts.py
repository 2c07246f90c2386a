"""The kinds of checks for hosts and facilities, by what their SNMP agents tell.

All but `snmp` are states: the agent tells how the node itself is, whatever the node needs (Closure.OWN). The silence of
an agent tells nothing of processors or disks, so there it is unknown; for the kind `snmp` the agent is what is asked
for, so its silence is bad.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from btimd.model.service import Check, CheckKind, Closure
from btimd.probes.hostmibs import Access, HostErrand, OneObject, Question, Uptime, seconds_of
from btimd.probes.hostmibsdisks import File, Filesystem, Process
from btimd.probes.hostmibsload import Cpu, Memory
from btimd.probes.hostmibsparts import SENSOR_KINDS, Sensor, Ups
from btimd.probes.hostmibsports import Interface, is_index
from btimd.probes.kinds import Errand, KindSpec, Secrets
from btimd.probes.limits import limits_of

SNMP_PORT: Final = 161
_VERSIONS: Final = ("1", "2c", "3")
_AUTH: Final = ("", "md5", "sha", "sha224", "sha256", "sha384", "sha512")
_PRIV: Final = ("", "des", "aes128", "aes192", "aes256", "aes192-blumenthal", "aes256-blumenthal")
_OID: Final = re.compile(r"\.?\d{1,10}(?:\.\d{1,10}){1,127}")
Options = Mapping[str, str]

_ACCESS: Final = {
    "device": "NAME of a table `[probes.snmp.NAME]`, whose address and credentials are used; instead of the following",
    "version": '`"1"`, `"2c"` (default) or `"3"` (default with a user)',
    "community_file": "file with the community of versions 1 and 2c",
    "user": "user of version 3",
    "auth_protocol": "how version 3 signs: md5, sha, sha224, sha256, sha384, sha512; default: it does not",
    "auth_key_file": "file with the pass phrase that signs",
    "priv_protocol": "how version 3 encrypts: des, aes128, aes192, aes256; default: it does not",
    "priv_key_file": "file with the pass phrase that encrypts",
    "context": "context of version 3; almost always empty",
}
_SILENCE: Final = {
    "timeout": "the agent does not answer: no evidence of this state",
    "wrong-answer": "a figure is beyond critical, or what was named is not there",
    "local-failure": "the agent does not tell of it, or knows these credentials not: no evidence",
}


def _kind(
    question: Callable[[Options], Question],
    options: Mapping[str, str],
    *,
    cost: float = 3.0,
    closure: Closure = Closure.OWN,
    heavy: bool = False,
    outcomes: Mapping[str, str] = _SILENCE,
) -> KindSpec:
    def build(check: Check, token: int, secrets: Secrets) -> Errand:
        del token
        device = check.options.get("device", "")
        access = _access(check.options, secrets, has_device=bool(device))
        return HostErrand(check.host, check.port or SNMP_PORT, device, access, question(check.options), str(check.kind))

    return KindSpec(
        cost,
        closure,
        build,
        heavy=heavy,
        default_port=SNMP_PORT,
        options=MappingProxyType({**options, **_ACCESS}),
        outcomes=outcomes,
    )


def _access(options: Options, secrets: Secrets, *, has_device: bool) -> Access:
    own = sorted(key for key in _ACCESS if key != "device" and key in options)
    if has_device:
        if own:
            raise ValueError(f"device and {own[0]} exclude each other; write the credentials in the device's table")
        return Access()
    version = options.get("version", "3" if "user" in options else "2c")
    if version not in _VERSIONS:
        raise ValueError(f'version {version!r} is unknown; write "1", "2c" or "3"')
    if version != "3" and "community_file" not in options:
        raise ValueError("an SNMP check needs device, community_file, or user; write how the agent may be asked")
    if version == "3" and "user" not in options:
        raise ValueError("version 3 needs user; write the name of the SNMPv3 user")
    auth, priv = options.get("auth_protocol", ""), options.get("priv_protocol", "")
    for key, value, known in (("auth_protocol", auth, _AUTH), ("priv_protocol", priv, _PRIV)):
        if value not in known:
            raise ValueError(f"{key} {value!r} is unknown; write one of {', '.join(known[1:])}")
        if bool(value) != (f"{key[:4]}_key_file" in options):
            raise ValueError(f"{key} and {key[:4]}_key_file belong together; write both or none")
    if priv and not auth:
        raise ValueError("priv_protocol needs auth_protocol; SNMPv3 does not encrypt what it does not sign")
    return Access(
        version=version,
        community=secrets.get("community", ""),
        user=options.get("user", ""),
        auth=auth,
        auth_key=secrets.get("auth_key", ""),
        priv=priv,
        priv_key=secrets.get("priv_key", ""),
        context=options.get("context", ""),
    )


def _word(options: Options, key: str, known: Mapping[str, bool], otherwise: str) -> bool:
    text = options.get(key, otherwise)
    if text not in known:
        raise ValueError(f"{key} {text!r} is unknown; write {' or '.join(known)}")
    return known[text]


def _pattern(options: Options, key: str) -> str:
    text = options.get(key, "")
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{key} {text!r} is no regular expression: {error}") from error
    return text


def _needed(options: Options, key: str, example: str) -> str:
    if not options.get(key):
        raise ValueError(f'this check needs {key}: options = {{ {key} = "{example}" }}')
    return options[key]


def _object(options: Options) -> Question:
    written = _needed(options, "oid", "1.3.6.1.2.1.1.3.0")
    if not _OID.fullmatch(written):
        raise ValueError(f"oid {written!r} is none; write its numbers, such as 1.3.6.1.2.1.1.3.0")
    try:
        scale = float(options.get("scale", "1"))
    except ValueError as error:
        raise ValueError(f"scale {options['scale']!r} is no number") from error
    oid = tuple(map(int, written.removeprefix(".").split(".")))
    return OneObject(oid, limits_of(options), options.get("expect", ""), scale)


def _cpu(options: Options) -> Question:
    return Cpu(limits_of(options, warn="> 90", critical="> 98"), limits_of(options, warn="> 4", prefix="load_"))


def _memory(options: Options) -> Question:
    return Memory(
        limits_of(options, warn="> 90", critical="> 97"),
        limits_of(options, warn="> 60", critical="> 95", prefix="swap_"),
    )


def _filesystem(options: Options) -> Question:
    return Filesystem(
        options.get("path", ""),
        limits_of(options, warn="> 90", critical="> 97"),
        limits_of(options, prefix="free_"),
        limits_of(options, warn="> 90", critical="> 97", prefix="inodes_"),
        _pattern(options, "exclude"),
        _word(options, "read_only", {"bad": True, "good": False}, "bad"),
    )


def _file(options: Options) -> Question:
    return File(_needed(options, "path", "/var/log/messages"), limits_of(options))


def _process(options: Options) -> Question:
    count = {"critical": options.get("count", "1:")}
    return Process(
        _needed(options, "name", "ora_pmon_ERP"),
        limits_of(count),
        limits_of(options, prefix="memory_"),
        limits_of(options, prefix="cpu_"),
        _pattern(options, "arguments"),
        _word(options, "table", {"host": True, "any": False}, "any"),
    )


def _interface(options: Options) -> Question:
    name = _needed(options, "interface", "GigabitEthernet1/0/1")
    return Interface(
        "" if is_index(name) else name,
        int(name) if is_index(name) else 0,
        limits_of(options, warn="> 80", prefix="use_"),
        limits_of(options, warn="> 1", prefix="errors_"),
        limits_of(options, warn="> 10", prefix="discards_"),
        _word(options, "switched_off", {"bad": True, "good": False}, "bad"),
        _word(options, "counters", {"true": True, "false": False}, "true"),
    )


def _uptime(options: Options) -> Question:
    return Uptime(
        seconds_of(options.get("within", "10m")), _word(options, "of", {"host": False, "agent": True}, "host")
    )


def _sensor(options: Options) -> Question:
    kind = options.get("unit", "")
    if kind not in {"", *SENSOR_KINDS}:
        raise ValueError(f"unit {kind!r} is unknown; write one of {', '.join(SENSOR_KINDS)}")
    return Sensor(options.get("sensor", ""), kind, limits_of(options))


def _ups(options: Options) -> Question:
    return Ups(
        limits_of(options, warn="< 20", critical="< 5", prefix="minutes_"),
        limits_of(options, warn="< 80", critical="< 20", prefix="charge_"),
        limits_of(options, warn="> 80", critical="> 100", prefix="load_"),
        limits_of(options, warn="> 35", critical="> 50", prefix="celsius_"),
        _word(options, "on_battery", {"bad": True, "warn": False}, "warn"),
    )


def _pair(prefix: str, what: str, warn: str, critical: str) -> dict[str, str]:
    return {
        f"{prefix}warn": f"{what} beyond it is good with a word; default {f'`{warn}`' if warn else 'none'}",
        f"{prefix}critical": f"{what} beyond it is bad; default {f'`{critical}`' if critical else 'none'}",
    }


KINDS: Final[Mapping[CheckKind, KindSpec]] = MappingProxyType({
    CheckKind.SNMP: _kind(
        _object,
        {
            "oid": "the object, with its instance: `1.3.6.1.2.1.1.3.0`; needed",
            "expect": "the value it must have, as text",
            "scale": "what the value is multiplied by first; default 1",
            **_pair("", "a value", "", ""),
        },
        cost=1.5,
        closure=Closure.LOCAL,
        outcomes={
            "timeout": "the agent does not answer: host or agent down, community not known, or filtered",
            "wrong-answer": "the object is not there, has another value, or one beyond critical",
            "local-failure": "the agent answers, but knows these credentials not: no evidence",
        },
    ),
    CheckKind.CPU: _kind(
        _cpu,
        {
            **_pair("", "busy processors in percent", "> 90", "> 98"),
            **_pair("load_", "processes that want a processor, per processor,", "> 4", ""),
        },
    ),
    CheckKind.MEMORY: _kind(
        _memory,
        {
            **_pair("", "used memory in percent", "> 90", "> 97"),
            **_pair("swap_", "used swap in percent", "> 60", "> 95"),
        },
    ),
    CheckKind.FILESYSTEM: _kind(
        _filesystem,
        {
            "path": "where it is mounted, or a drive such as `C:\\`; default: all of fixed disks",
            "exclude": "regular expression of paths that are not looked at, where no path is named",
            **_pair("", "used space in percent", "> 90", "> 97"),
            **_pair("free_", "free octets", "", ""),
            **_pair("inodes_", "used inodes in percent", "> 90", "> 97"),
            "read_only": '`"good"`: the path may be mounted read-only; default `"bad"`',
        },
        cost=5.0,
    ),
    CheckKind.FILE: _kind(
        _file,
        {
            "path": "the file, as a `file` line of the agent's snmpd.conf names it; needed. net-snmp "
            "counts whole KiB and tells 0 of a file that is not there: `critical = '< 1'` says that it must be",
            **_pair("", "octets", "", ""),
        },
    ),
    # Every process of the host may have to be read.
    CheckKind.PROCESS: _kind(
        _process,
        {
            "name": "of the program; needed",
            "arguments": "regular expression that must be found in the arguments",
            "count": 'how many there must be; default `"1:"`, at least one',
            **_pair("memory_", "octets of all of them", "", ""),
            **_pair("cpu_", "percent of one processor, between two readings,", "", ""),
            "table": '`"host"`: read all processes even where the agent counts those of this name; default `"any"`',
        },
        cost=10.0,
        heavy=True,
    ),
    CheckKind.INTERFACE: _kind(
        _interface,
        {
            "interface": "name, description, alias or index; needed",
            **_pair("use_", "percent of its speed in the busier direction", "> 80", ""),
            **_pair("errors_", "errors a second", "> 1", ""),
            **_pair("discards_", "discarded packets a second", "> 10", ""),
            "switched_off": '`"good"`: the administrator may have switched it off; default `"bad"`',
            "counters": '`"false"`: only its state, one reading; default `"true"`',
        },
        cost=4.0,
    ),
    CheckKind.UPTIME: _kind(
        _uptime,
        {
            "within": 'a restart less long ago is bad; default `"10m"`',
            "of": '`"agent"`: its restart, not the host\'s; default `"host"`, where it tells',
        },
        cost=1.5,
    ),
    CheckKind.SENSOR: _kind(
        _sensor,
        {
            "sensor": "part of its name; default: all",
            "unit": "volts, amperes, watts, hertz, celsius, percent, rpm, cmm or truth; default: any",
            **_pair("", "a value in the sensor's unit", "", ""),
        },
        cost=5.0,
    ),
    CheckKind.UPS: _kind(
        _ups,
        {
            "on_battery": '`"bad"`: running on battery is bad by itself; default `"warn"`',
            **_pair("minutes_", "minutes left", "< 20", "< 5"),
            **_pair("charge_", "charge in percent", "< 80", "< 20"),
            **_pair("load_", "load in percent", "> 80", "> 100"),
            **_pair("celsius_", "temperature of the battery", "> 35", "> 50"),
        },
    ),
})  # fmt: skip
