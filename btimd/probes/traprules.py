"""What SNMP notifications mean: the standard ones (SNMPv2-MIB, IF-MIB, UPS-MIB, ENTITY-MIB) and common vendors'."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from btimd.model.heard import Told
from btimd.model.probe import ErrorClass, Health
from btimd.model.service import NodeKind
from btimd.model.sign import SignSource
from btimd.model.units import UnixSeconds
from btimd.probes.snmpsession import Oid, Value
from btimd.probes.wire.ber import elements
from btimd.probes.wire.dialogue import AnswerError

TRAP_OID: Final[Oid] = (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)
TRAP_ADDRESS: Final[Oid] = (1, 3, 6, 1, 6, 3, 18, 1, 3, 0)
"""snmpTrapAddress.0 (RFC 3584 section 3.1): who sent it first, where a proxy passed it on."""
_IF_INDEX: Final[Oid] = (1, 3, 6, 1, 2, 1, 2, 2, 1, 1)
_IF_DESCR: Final[Oid] = (1, 3, 6, 1, 2, 1, 2, 2, 1, 2)
_IF_ADMIN: Final[Oid] = (1, 3, 6, 1, 2, 1, 2, 2, 1, 7)
_IF_NAME: Final[Oid] = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1)
_ENGINE_ID_OCTETS: Final = (5, 32)
_DOWN: Final = 2
_MOST_VALUES: Final = 6
_MOST_TEXT: Final = 60
_ADDRESS_OCTETS: Final = 4
_DEVICE: Final = (NodeKind.NETWORK, NodeKind.HOST, NodeKind.OS, NodeKind.FACILITY)
_POWER: Final = (NodeKind.FACILITY, NodeKind.HOST, NodeKind.NETWORK)
_SNMP: Final[Oid] = (1, 3, 6, 1, 6, 3, 1, 1, 5)
_UPS: Final[Oid] = (1, 3, 6, 1, 2, 1, 33, 2)
_CISCO: Final[Oid] = (1, 3, 6, 1, 4, 1, 9)
_APC: Final[Oid] = (1, 3, 6, 1, 4, 1, 318)
_HUAWEI: Final[Oid] = (1, 3, 6, 1, 4, 1, 2011)
_JUNIPER: Final[Oid] = (1, 3, 6, 1, 4, 1, 2636)


@dataclass(frozen=True, slots=True)
class TrapRule:
    """Notifications whose object identifier begins with `oid`. health: None = a change, UNKNOWN = it is over."""

    oid: Oid
    id: str
    health: Health | None
    error: ErrorClass = ErrorClass.EXCEEDED
    kinds: tuple[NodeKind, ...] = _DEVICE
    subject: str = ""
    weight: float = 0.8


_BAD, _OVER = Health.BAD, Health.UNKNOWN
_LOST: Final = ErrorClass.UNREACHABLE
TABLE: Final[tuple[TrapRule, ...]] = (
    TrapRule((*_SNMP, 1), "coldStart", None),
    TrapRule((*_SNMP, 2), "warmStart", None),
    TrapRule((*_SNMP, 3), "linkDown", _BAD, _LOST, subject="interface"),
    TrapRule((*_SNMP, 4), "linkUp", _OVER, subject="interface"),
    TrapRule((*_UPS, 1), "upsTrapOnBattery", _BAD, kinds=_POWER, subject="power"),
    TrapRule((*_UPS, 3), "upsTrapAlarmEntryAdded", _BAD, kinds=_POWER, subject="alarm", weight=0.6),
    TrapRule((*_UPS, 4), "upsTrapAlarmEntryRemoved", _OVER, kinds=_POWER, subject="alarm"),
    TrapRule((*_UPS, 0, 1), "upsTrapOnBattery", _BAD, kinds=_POWER, subject="power"),
    TrapRule((*_UPS, 0, 3), "upsTrapAlarmEntryAdded", _BAD, kinds=_POWER, subject="alarm", weight=0.6),
    TrapRule((*_UPS, 0, 4), "upsTrapAlarmEntryRemoved", _OVER, kinds=_POWER, subject="alarm"),
    TrapRule((1, 3, 6, 1, 2, 1, 47, 2, 0, 1), "entConfigChange", None),
    TrapRule((1, 3, 6, 1, 2, 1, 17, 0, 1), "newRoot", None),
    TrapRule((1, 3, 6, 1, 2, 1, 17, 0, 2), "topologyChange", None),
    TrapRule((1, 3, 6, 1, 2, 1, 15, 7, 2), "bgpBackwardTransition", _BAD, _LOST, subject="bgp", weight=0.5),
    TrapRule((1, 3, 6, 1, 2, 1, 15, 7, 1), "bgpEstablished", _OVER, subject="bgp"),
    TrapRule((1, 3, 6, 1, 2, 1, 15, 0, 2), "bgpBackwardTransNotification", _BAD, _LOST, subject="bgp"),
    TrapRule((1, 3, 6, 1, 2, 1, 15, 0, 1), "bgpEstablishedNotification", _OVER, subject="bgp"),
    TrapRule((1, 3, 6, 1, 2, 1, 14, 16, 2, 2), "ospfNbrStateChange", None),
    TrapRule((1, 3, 6, 1, 2, 1, 68, 0, 1), "vrrpTrapNewMaster", None),
    TrapRule((*_CISCO, 9, 43, 2, 0, 1), "ciscoConfigManEvent", None),
    TrapRule((*_CISCO, 9, 43, 2, 0, 2), "ccmCLIRunningConfigChanged", None),
    TrapRule((*_CISCO, 9, 13, 3, 0, 1), "ciscoEnvMonShutdown", _BAD, subject="environment"),
    TrapRule((*_CISCO, 9, 13, 3, 0, 3), "ciscoEnvMonTemperature", _BAD, subject="temperature"),
    TrapRule((*_CISCO, 9, 13, 3, 0, 4), "ciscoEnvMonFan", _BAD, subject="fan", weight=0.5),
    TrapRule((*_CISCO, 9, 13, 3, 0, 5), "ciscoEnvMonRedundantSupply", _BAD, subject="power", weight=0.4),
    TrapRule((*_CISCO, 9, 117, 2, 0, 2), "cefcPowerStatusChange", None),
    TrapRule((*_CISCO, 9, 106, 2, 0, 1), "cHsrpStateChange", None),
    TrapRule((*_JUNIPER, 4, 1, 1), "jnxPowerSupplyFailure", _BAD, subject="power", weight=0.4),
    TrapRule((*_JUNIPER, 4, 1, 2), "jnxFanFailure", _BAD, subject="fan", weight=0.5),
    TrapRule((*_JUNIPER, 4, 1, 3), "jnxOverTemperature", _BAD, subject="temperature"),
    TrapRule((*_JUNIPER, 4, 5, 0, 1), "jnxCmCfgChange", None),
    TrapRule((*_HUAWEI, 5, 25, 191, 3, 1), "hwCfgManEventlog", None),
    TrapRule((*_APC, 0, 5), "upsOnBattery", _BAD, kinds=_POWER, subject="power"),
    TrapRule((*_APC, 0, 7), "lowBattery", _BAD, kinds=_POWER, subject="battery"),
    TrapRule((*_APC, 0, 9), "powerRestored", _OVER, kinds=_POWER, subject="power"),
)  # fmt: skip
_BY_OID: Final = {one.oid: one for one in TABLE}
_LONGEST: Final = max(len(one.oid) for one in TABLE)


def notification_of(varbinds: Sequence[tuple[Oid, Value]]) -> Oid | None:
    """Return which notification it is: the value of snmpTrapOID.0."""
    return next((value for oid, value in varbinds if oid == TRAP_OID and isinstance(value, tuple)), None)


def rule_of(oid: Oid) -> TrapRule | None:
    """Return the rule of a notification, the most specific one."""
    for length in range(min(len(oid), _LONGEST), 0, -1):
        found = _BY_OID.get(oid[:length])
        if found is not None:
            return found
    return None


def meaning(varbinds: Sequence[tuple[Oid, Value]], sender: str, now: UnixSeconds) -> Told | None:
    """Return what a notification means; None where no rule knows it."""
    oid = notification_of(varbinds)
    rule = rule_of(oid) if oid is not None else None
    if rule is None:
        return None
    interface = _interface(varbinds)
    health = rule.health
    admin = next((value for one, value in varbinds if one[:-1] == _IF_ADMIN), None)
    text = f"{rule.id}{' of interface ' + interface if interface else ''}"
    if rule.id == "linkDown" and admin == _DOWN:
        health, text = None, f"interface {interface} was switched off"
    others = [] if interface else [_shown(value) for one, value in varbinds[:_MOST_VALUES] if one != TRAP_OID]
    shown = ", ".join(one for one in others if one)
    address = next((value for one, value in varbinds if one == TRAP_ADDRESS), None)
    first = (".".join(map(str, address)),) if isinstance(address, bytes) and len(address) == _ADDRESS_OCTETS else ()
    return Told(
        source=SignSource.TRAP,
        sender=sender,
        hosts=tuple(dict.fromkeys((*first, sender))),
        rule=rule.id,
        text=f"{text} ({shown})" if shown else text,
        at=now,
        health=health,
        error=rule.error if health is Health.BAD else ErrorClass.NONE,
        kinds=rule.kinds,
        subject=" ".join(part for part in (rule.subject or rule.id, interface) if part),
        interface=interface,
        weight=rule.weight,
    )


def _interface(varbinds: Sequence[tuple[Oid, Value]]) -> str:
    """Return the interface that it names: ifName, ifDescr or ifIndex."""
    for column in (_IF_NAME, _IF_DESCR, _IF_INDEX):
        for oid, value in varbinds:
            if oid[: len(column)] == column and value is not None:
                return _shown(value)
    return ""


def _shown(value: Value) -> str:
    if isinstance(value, bytes):
        text = value[:_MOST_TEXT].decode("utf-8", "replace")
        return "".join(one if one.isprintable() else "." for one in text)
    if isinstance(value, tuple):
        return ".".join(map(str, value))[:_MOST_TEXT]
    return "" if value is None else str(value)


def engine_id_of(datagram: bytes) -> bytes:
    """Return the engine id that a message of version 3 names (RFC 3412 section 6, RFC 3414 section 2.4), else b""."""
    try:
        ((_, message),) = elements(datagram)
        (_, version), _, (_, parameters), *_ = elements(message)
        if version != b"\x03":
            return b""
        ((_, inner),) = elements(parameters)
        (_, engine_id), *_ = elements(inner)
    except (AnswerError, ValueError):
        return b""
    return engine_id if _ENGINE_ID_OCTETS[0] <= len(engine_id) <= _ENGINE_ID_OCTETS[1] else b""
