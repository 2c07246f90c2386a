"""LDAP: can people and programs be looked up and log on (RFC 4511), in TLS from the start or by StartTLS."""

import re
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.model.units import MonotonicSeconds
from btimd.probes.wire import ldapmessage
from btimd.probes.wire.dialogue import Action, AnswerError, Close, Finish, Secure, Send, Stage, printable
from btimd.probes.wire.ldapfilter import encode_filter
from btimd.probes.wire.ldapmessage import (
    SCOPES,
    SIZE_LIMIT_EXCEEDED,
    SUCCESS,
    UNBIND,
    Message,
    MessageReader,
    decode_result,
    encode_bind,
    encode_search,
    encode_start_tls,
)
from btimd.probes.wire.tls import NO_TLS, SecuredDialogue, TlsMode, TlsOptions

LDAP_PORT: Final = 389
LDAPS_PORT: Final = 636
_MAX_ENTRIES: Final = 1000
_COUNT: Final = re.compile(r"(\d{1,4})(\+?)", re.ASCII)
_SERVER_SECONDS: Final = 30
_FIRST: Final = 1
_SECOND: Final = 2


@dataclass(frozen=True, slots=True)
class LdapQuestion:
    """What to ask for. user: a distinguished name, empty: anonymous. expect_count: "3", or "3+" for at least three."""

    user: str = ""
    password: str = ""
    base: str = ""
    scope: str = "base"
    filter: str = "(objectClass=*)"
    expect_count: str = "1+"

    @override
    def __repr__(self) -> str:
        """Return what is asked, never with which password."""
        return f"LdapQuestion({self.user!r}, {self.base!r}, {self.scope!r}, {self.filter!r}, {self.expect_count!r})"


class LdapDialogue(SecuredDialogue):
    """Bind, then one search for entries without their attributes; good when as many come as expected."""

    def __init__(self, host: str, port: int, question: LdapQuestion, tls: TlsOptions = NO_TLS) -> None:
        super().__init__(host, port or (LDAPS_PORT if tls.mode is TlsMode.FIRST else LDAP_PORT), tls)
        count = _COUNT.fullmatch(question.expect_count)
        if count is None or int(count[1]) > _MAX_ENTRIES:
            raise ValueError(
                f'expect_count {question.expect_count!r} is none; write "1" or "1+", at most {_MAX_ENTRIES}'
            )
        if question.scope not in SCOPES:
            raise ValueError(f"scope {question.scope!r} is unknown; write one of {', '.join(SCOPES)}")
        self._question = question
        self._hidden = (question.password,)
        self._least, self._may_be_more = int(count[1]), bool(count[2])
        self._search = encode_search(
            _SECOND,
            base=question.base,
            scope=question.scope,
            wanted=encode_filter(question.filter),
            size_limit=max(1, self._least if self._may_be_more else self._least + 1),
            seconds=_SERVER_SECONDS,
        )
        self._rewind()

    @override
    def _rewind(self) -> None:
        self._reader = MessageReader()
        self._doing = ""
        self._entries = 0
        self._referrals = 0
        self._step_began: MonotonicSeconds = 0.0

    @override
    def _ready(self, now: MonotonicSeconds) -> list[Action]:
        self._step_began = now
        if self._tls.mode is TlsMode.LATER and self._secured is None:
            self._doing = "StartTLS"
            return [Send(encode_start_tls(_FIRST))]
        self._doing = "bind"
        return [Send(encode_bind(_FIRST, self._question.user, self._question.password))]

    @override
    def _received(self, data: bytes, now: MonotonicSeconds) -> list[Action]:
        actions: list[Action] = []
        try:
            for message in self._reader.feed(data):
                actions += self._message(message, now)
                if actions and isinstance(actions[-1], Finish):
                    return actions
        except AnswerError as error:
            return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target} does not speak LDAP: {error}")
        if actions and isinstance(actions[-1], Secure) and not self._reader.is_empty:
            return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target} sends octets before TLS stands")
        return actions

    def _message(self, message: Message, now: MonotonicSeconds) -> list[Action]:
        """Take a message; number 0 is the notice of disconnection (RFC 4511 section 4.4.1)."""
        match self._doing, message.id, message.tag:
            case _, 0, ldapmessage.EXTENDED_RESPONSE:
                return self._wrong(message.content, "closes the connection")
            case "StartTLS", 1, ldapmessage.EXTENDED_RESPONSE:
                return self._started_tls(message.content, now)
            case "bind", 1, ldapmessage.BIND_RESPONSE:
                return self._bound(message.content, now)
            case "search", 2, ldapmessage.SEARCH_ENTRY:
                self._entries += 1
            case "search", 2, ldapmessage.SEARCH_REFERENCE:
                self._referrals += 1
            case "search", 2, ldapmessage.SEARCH_DONE:
                return self._found(message.content, now)
            case _:
                raise AnswerError(f"message {message.id}, operation {message.tag:#04x} in answer to {self._doing}")
        return []

    def _wrong(self, content: bytes, does: str) -> list[Action]:
        said = printable(decode_result(content).text, 140)
        return self._leave(self._bad(ErrorClass.WRONG_ANSWER, f"{self._target} {does}: {said}"))

    @staticmethod
    def _leave(end: list[Action]) -> list[Action]:
        return [Send(UNBIND), Close(), *end]

    def _started_tls(self, content: bytes, now: MonotonicSeconds) -> list[Action]:
        if decode_result(content).code != SUCCESS:
            return self._wrong(content, "does not begin TLS")
        return self._secure(now)

    def _bound(self, content: bytes, now: MonotonicSeconds) -> list[Action]:
        self._values["bind_seconds"] = now - self._step_began
        if decode_result(content).code != SUCCESS:
            who = printable(self._question.user, 60) or "an anonymous user"
            return self._wrong(content, f"does not let {who} log on")
        self._doing, self._step_began = "search", now
        return [Send(self._search)]

    def _found(self, content: bytes, now: MonotonicSeconds) -> list[Action]:
        self._values["search_seconds"] = now - self._step_began
        self._values["entries"] = self._entries
        result = decode_result(content)
        is_enough = result.code == SUCCESS or (result.code == SIZE_LIMIT_EXCEEDED and self._entries)
        where = printable(self._question.base, 60) or "the root"
        if not is_enough:
            return self._wrong(content, f"does not search below {where}")
        fits = self._entries >= self._least if self._may_be_more else self._entries == self._least
        told = f"{self._target} finds {self._entries} entries of {printable(self._question.filter, 60)} at {where}"
        if fits:
            return self._leave(self._good(told))
        hint = f" ({self._referrals} referrals to other servers)" if self._referrals else ""
        return self._leave(self._bad(ErrorClass.WRONG_ANSWER, f"{told}, expected {self._question.expect_count}{hint}"))

    @override
    def _silence(self, now: MonotonicSeconds) -> list[Action]:
        if self._stage is not Stage.TALKING:
            return super()._silence(now)
        waited = now - self._started
        detail = f"{self._target} accepts the connection and does not answer {self._doing} ({waited:.1f} s waited)"
        return self._bad(ErrorClass.NO_ANSWER, detail)
