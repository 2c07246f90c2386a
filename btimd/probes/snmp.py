"""SNMP on the wire: the one place that knows pysnmp.

pysnmp is imported when the first client is made, so a daemon without SNMP devices does not carry it. Its name service
for MIBs is not used: objects are numbers here. Its own repetitions are switched off: the session decides on those, so
each request is counted and paced.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from btimd.probes.snmpsession import Answer, Answered, Get, NoAnswer, Oid, Rejected, Rejection, Request, Value
from btimd.probes.snmptargets import Community, Target, User

_TICKS_PER_SECOND: Final = 100
_V1, _V2C, _V3 = 0, 1, 3
_MODEL_V3: Final = 3
_TARGET_SLACK_SECONDS: Final = 5.0
_ENGINE_IDS: Final = "_SnmpV3MessageProcessingModel__engineIdCache"
_ENGINE_IDS_ENDS: Final = "_SnmpV3MessageProcessingModel__engineIdCacheExpQueue"
_REJECTIONS: Final = {
    "UnknownUserName": Rejection.UNKNOWN_USER,
    "UnknownSecurityName": Rejection.UNKNOWN_USER,
    "WrongDigest": Rejection.WRONG_DIGEST,
    "AuthenticationFailure": Rejection.WRONG_DIGEST,
    "AuthenticationError": Rejection.WRONG_DIGEST,
    "NotInTimeWindow": Rejection.NOT_IN_TIME_WINDOW,
    "UnsupportedSecurityLevel": Rejection.UNSUPPORTED_LEVEL,
    "DecryptionError": Rejection.DECRYPTION,
    "UnknownEngineID": Rejection.UNKNOWN_ENGINE,
    "EngineIDMismatch": Rejection.UNKNOWN_ENGINE,
    "UnknownContext": Rejection.UNKNOWN_CONTEXT,
    "UnavailableContext": Rejection.UNKNOWN_CONTEXT,
}


@dataclass(slots=True)
class Traffic:
    """What went over the wire to and from one device: datagrams each way, octets of UDP payload both ways."""

    requests: int = 0
    answers: int = 0
    octets: int = 0


@dataclass(slots=True)
class _Peer:
    """What an engine knows of a target."""

    target_name: str
    engine: "_Engine"
    place: tuple[str, int]
    has_answered: bool = False


class SnmpClient:
    """Asks devices. One socket per address family and engine; answers are taken from the asked addresses only.

    Devices share one engine; a second one is made only where the same user has other keys elsewhere, as an engine knows
    a user once. close() gives everything back.
    """

    def __init__(self) -> None:
        self._library = _Library()
        self._engines: list[_Engine] = []
        self._peers: dict[Target, _Peer] = {}
        self._traffic: dict[tuple[str, int], Traffic] = {}

    async def ask(self, target: Target, request: Request) -> Answer:
        """Send one request and return what came of it, after target.timeout at the latest."""
        try:
            peer = self._peer(target)
            answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            peer.engine.send(peer.target_name, target, request, answered)
        except (self._library.error, OSError) as error:
            return Rejected(Rejection.CANNOT_SEND, _short(error))
        heard = self.traffic(target).answers
        try:
            async with asyncio.timeout(target.timeout * 3 + _TARGET_SLACK_SECONDS):  # discovery has its own round trips
                answer = await answered
        except TimeoutError:
            answer = NoAnswer()
        if isinstance(answer, Answered):
            peer.has_answered = True
        elif peer.has_answered and self.traffic(target).answers > heard:
            # It speaks, but not as it did: another engine id, after a replacement or a reset. The next request asks it.
            peer.has_answered = False
            peer.engine.forget_engine_id(peer.place)
        return answer

    def traffic(self, target: Target) -> Traffic:
        """Return what was sent to and received from a device until now."""
        return self._traffic.setdefault((target.address, target.port), Traffic())

    def forget(self, target: Target) -> None:
        """Drop what is remembered of a device that is asked no more, or that may have become another one."""
        peer = self._peers.pop(target, None)
        if peer is not None:
            peer.engine.forget(peer.target_name, peer.place)

    def close(self) -> None:
        """Close all sockets."""
        for engine in self._engines:
            engine.close()
        self._engines.clear()
        self._peers.clear()

    def _peer(self, target: Target) -> _Peer:
        peer = self._peers.get(target)
        if peer is None:
            engine = self._engine_for(target)
            place = (target.address, target.port)
            peer = self._peers[target] = _Peer(engine.add(target, self.traffic(target)), engine, place)
        return peer

    def _engine_for(self, target: Target) -> "_Engine":
        for engine in self._engines:
            if engine.can_take(target.credentials):
                return engine
        self._engines.append(_Engine(self._library))
        return self._engines[-1]


class _Library:
    """The names of pysnmp that are used here, imported late."""

    def __init__(self) -> None:
        # Late: 0.14 s and 30 MB that only a daemon with SNMP devices pays.
        from pysnmp.carrier.asyncio.dgram import udp, udp6
        from pysnmp.entity import config
        from pysnmp.entity.engine import SnmpEngine
        from pysnmp.entity.rfc3413 import cmdgen
        from pysnmp.error import PySnmpError
        from pysnmp.proto import rfc1902, rfc1905

        self.config, self.engine, self.error = config, SnmpEngine, PySnmpError
        self.get, self.bulk = cmdgen.GetCommandGenerator, cmdgen.BulkCommandGeneratorSingleRun
        self.following = cmdgen.NextCommandGeneratorSingleRun
        self.object_name, self.null = rfc1902.ObjectName, rfc1905.unSpecified
        self.octets = rfc1902.OctetString
        self.nothing = (
            rfc1902.Null,
            rfc1905.UnSpecified,
            rfc1905.NoSuchObject,
            rfc1905.NoSuchInstance,
            rfc1905.EndOfMibView,
        )
        self.domains = {4: udp.DOMAIN_NAME, 6: udp6.DOMAIN_NAME}
        self.transports = {4: _guarded(udp.UdpAsyncioTransport), 6: _guarded(udp6.Udp6AsyncioTransport)}
        self.auth = {
            "": config.USM_AUTH_NONE,
            "md5": config.USM_AUTH_HMAC96_MD5,
            "sha": config.USM_AUTH_HMAC96_SHA,
            "sha224": config.USM_AUTH_HMAC128_SHA224,
            "sha256": config.USM_AUTH_HMAC192_SHA256,
            "sha384": config.USM_AUTH_HMAC256_SHA384,
            "sha512": config.USM_AUTH_HMAC384_SHA512,
        }
        self.priv = {
            "": config.USM_PRIV_NONE,
            "des": config.USM_PRIV_CBC56_DES,
            "aes128": config.USM_PRIV_CFB128_AES,
            "aes192": config.USM_PRIV_CFB192_AES,
            "aes256": config.USM_PRIV_CFB256_AES,
            "aes192-blumenthal": config.USM_PRIV_CFB192_AES_BLUMENTHAL,
            "aes256-blumenthal": config.USM_PRIV_CFB256_AES_BLUMENTHAL,
        }


def _guarded(transport: Any) -> Any:
    """Return the transport class with an account of traffic, and deaf to whom nothing was asked.

    The library calls a datagram's handler from the loop and does not catch all that hostile octets can raise there.
    """

    class Guarded(transport):  # type: ignore[misc]  # the base is only known at run time
        """A UDP socket of the library."""

        def __init__(self) -> None:
            super().__init__()
            self.known: dict[tuple[str, int], Traffic] = {}

        def send_message(self, outgoing: bytes, address: Any) -> None:
            traffic = self.known.get((address[0], address[1]))
            if traffic is not None:
                traffic.requests += 1
                traffic.octets += len(outgoing)
            super().send_message(outgoing, address)

        def datagram_received(self, datagram: bytes, address: Any) -> None:
            traffic = self.known.get((address[0], address[1]))
            if traffic is None or self._callback_function is None:
                return
            traffic.answers += 1
            traffic.octets += len(datagram)
            self.loop.call_soon(self._handle, datagram, address)

        def _handle(self, datagram: bytes, address: Any) -> None:
            if self._callback_function is None:
                return
            try:
                self._callback_function(self, address, datagram)
            except Exception:  # noqa: BLE001  whatever hostile octets raise in the library; the request then times out
                return

        def error_received(self, exc: Exception) -> None:
            """Let a request that could not be sent time out."""

    return Guarded


class _Engine:
    """One SNMP engine of the library with its sockets."""

    def __init__(self, library: _Library) -> None:
        self._library = library
        self._engine = library.engine()
        self._get, self._bulk, self._following = library.get(), library.bulk(), library.following()
        self._transports: dict[int, Any] = {}
        self._params: dict[Community | User, str] = {}
        self._users: dict[str, tuple[str, bytes, str, bytes]] = {}
        self._names = 0

    def can_take(self, credentials: Community | User) -> bool:
        """Tell whether this engine can hold these beside those it has."""
        if isinstance(credentials, Community):
            return True
        return self._users.get(credentials.name, _keys(credentials)) == _keys(credentials)

    def add(self, target: Target, traffic: Traffic) -> str:
        """Make a target known; returns its name within this engine."""
        config, version = self._library.config, 6 if ":" in target.address else 4
        transport = self._transports.get(version)
        if transport is None:
            transport = self._library.transports[version]().open_client_mode()
            config.add_transport(self._engine, self._library.domains[version], transport)
            self._transports[version] = transport
        params = self._params.get(target.credentials) or self._add_credentials(target.credentials)
        name = self._next_name("t")
        config.add_target_address(
            self._engine,
            name,
            self._library.domains[version],
            (target.address, target.port),
            params,
            target.timeout * _TICKS_PER_SECOND,
            0,
        )
        transport.known[target.address, target.port] = traffic
        return name

    def forget(self, name: str, place: tuple[str, int]) -> None:
        """Remove a target."""
        self._library.config.delete_target_address(self._engine, name)
        for transport in self._transports.values():
            transport.known.pop(place, None)

    def forget_engine_id(self, place: tuple[str, int]) -> None:
        """Let the next request to a place ask for its engine id anew.

        The library keeps an id for 5 minutes, and takes no report of another one for an answer. It has no call for
        this; where a later version names its tables otherwise, those 5 minutes are what is left.
        """
        model = self._engine.message_processing_subsystems[_MODEL_V3]
        ids, ends = getattr(model, _ENGINE_IDS, {}), getattr(model, _ENGINE_IDS_ENDS, {})
        for key in [known for known in ids if tuple(known[1][:2]) == place]:
            del ids[key]
            for keys in ends.values():
                keys[:] = [other for other in keys if other != key]

    def send(self, name: str, target: Target, request: Request, answered: "asyncio.Future[Answer]") -> None:
        """Send a request; `answered` gets what comes of it."""
        varbinds = [(self._library.object_name(oid), self._library.null) for oid in request.oids]
        context = target.credentials.context if isinstance(target.credentials, User) else ""
        if isinstance(request, Get):
            self._get.send_varbinds(self._engine, name, None, context, varbinds, self._answer, answered)
        elif isinstance(target.credentials, Community) and target.credentials.version == "1":  # which has no GETBULK
            self._following.send_varbinds(self._engine, name, None, context, varbinds, self._answer, answered)
        else:
            self._bulk.send_varbinds(
                self._engine, name, None, context, 0, request.max_repetitions, varbinds, self._answer, answered
            )

    def close(self) -> None:
        """Close the sockets and end the library's timer."""
        self._engine.close_dispatcher()
        self._transports.clear()

    def _next_name(self, kind: str) -> str:
        self._names += 1
        return f"{kind}{self._names}"

    def _add_credentials(self, credentials: Community | User) -> str:
        config, name = self._library.config, self._next_name("p")
        if isinstance(credentials, Community):
            config.add_v1_system(self._engine, name, credentials.community, securityName=name)
            version = _V1 if credentials.version == "1" else _V2C
            config.add_target_parameters(self._engine, name, name, "noAuthNoPriv", version)
        else:
            if credentials.name not in self._users:
                config.add_v3_user(
                    self._engine,
                    credentials.name,
                    self._library.auth[credentials.auth],
                    credentials.auth_key or None,
                    self._library.priv[credentials.priv],
                    credentials.priv_key or None,
                )
                self._users[credentials.name] = _keys(credentials)
            config.add_target_parameters(self._engine, name, credentials.name, credentials.level, _V3)
        self._params[credentials] = name
        return name

    def _answer(
        self,
        _engine: Any,
        _handle: Any,
        indication: Any,
        error_status: Any,
        error_index: Any,
        varbinds: Any,
        answered: "asyncio.Future[Answer]",
    ) -> None:
        """Take an answer from the library."""
        if answered.done():
            return
        if indication is None:
            found = tuple((tuple(oid), self._plain(value)) for oid, value in varbinds)
            answered.set_result(Answered(found, int(error_status), int(error_index)))
        elif type(indication).__name__ == "RequestTimedOut":
            answered.set_result(NoAnswer())
        else:
            why = _REJECTIONS.get(type(indication).__name__, Rejection.BAD_ANSWER)
            answered.set_result(Rejected(why, _short(indication)))

    def _plain(self, value: Any) -> Value:
        """Return a value without the library's types; None for "there is nothing" of any kind."""
        if isinstance(value, self._library.nothing):
            return None
        if hasattr(value, "isPrefixOf"):
            oid: Oid = tuple(value)
            return oid
        if hasattr(value, "asOctets") and hasattr(value, "asNumbers"):
            return bytes(value)
        try:
            return int(value)
        except (TypeError, ValueError, self._library.error):
            return None


def _keys(user: User) -> tuple[str, bytes, str, bytes]:
    return (user.auth, user.auth_key, user.priv, user.priv_key)


def _short(error: Any) -> str:
    return " ".join(str(error).split())[:200]


def credentials_adder(engine: Any) -> Any:
    """Return what makes credentials known to an engine of the library that takes notifications.

    Called with credentials, and b"" for the receiver's own engine id, under which informs of version 3 come, or with
    that of a sender, under which his traps come.
    """
    library = _Library()
    known: set[tuple[str, bytes]] = set()

    def add(credentials: Community | User, engine_id: bytes) -> None:
        if isinstance(credentials, Community):
            name = f"c{len(known)}"
            library.config.add_v1_system(engine, name, credentials.community)
            known.add((name, b""))
        elif (credentials.name, engine_id) not in known:
            known.add((credentials.name, engine_id))
            library.config.add_v3_user(
                engine,
                credentials.name,
                library.auth[credentials.auth],
                credentials.auth_key or None,
                library.priv[credentials.priv],
                credentials.priv_key or None,
                securityEngineId=library.octets(engine_id) if engine_id else None,
            )

    return add
