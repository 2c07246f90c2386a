"""Protocols of lines and of commands with replies (SMTP, POP3, IMAP, FTP): what their dialogues share.

Bounded: a line of 8 KiB, 128 KiB and 1000 lines in all.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.model.units import MonotonicSeconds
from btimd.probes.wire.dialogue import Action, AnswerError, Close, Secure, Send, Stage, printable
from btimd.probes.wire.tls import NO_TLS, SecuredDialogue, TlsMode, TlsOptions

MAX_LINE: Final = 8 * 1024
MAX_RECEIVED: Final = 128 * 1024
MAX_LINES: Final = 1000


@dataclass(frozen=True, slots=True)
class Logon:
    """Who logs on; no user: nobody does."""

    user: str = ""
    password: str = ""

    def __post_init__(self) -> None:
        """Refuse what would break out of its line."""
        if any(not " " <= character != "\x7f" for character in self.user + self.password):
            raise ValueError("user and password must not hold control characters")

    @override
    def __repr__(self) -> str:
        """Return who, never with which password."""
        return f"Logon({self.user!r})"

    @property
    def hidden(self) -> tuple[str, ...]:
        """The password in every form that is sent."""
        plain = f"\0{self.user}\0{self.password}"
        forms = (plain, self.password)
        return (*(base64.b64encode(one.encode()).decode() for one in forms if self.password), self.password)


_NOBODY: Final = Logon()


class LineReader:
    """Cuts octets into lines."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._received = 0
        self._lines = 0

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is left that no line was made of."""
        return not self._buffer

    @property
    def has_begun(self) -> bool:
        """Tell whether anything came."""
        return self._received > 0

    def add(self, data: bytes) -> None:
        """Take octets; raises AnswerError when they are too many."""
        self._received += len(data)
        if self._received > MAX_RECEIVED:
            raise AnswerError(f"over {MAX_RECEIVED} octets")
        self._buffer += data

    def take(self) -> str | None:
        """Return the next line without its end, None where there is none; raises AnswerError."""
        end = self._buffer.find(b"\n", 0, MAX_LINE)
        if end < 0:
            if len(self._buffer) >= MAX_LINE:
                raise AnswerError(f"a line over {MAX_LINE} octets")
            return None
        self._lines += 1
        if self._lines > MAX_LINES:
            raise AnswerError(f"over {MAX_LINES} lines")
        line = bytes(self._buffer[:end]).removesuffix(b"\r")
        del self._buffer[: end + 1]
        return line.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply of SMTP (RFC 5321 section 4.2) or FTP (RFC 959 section 4.2): code and the texts of its lines."""

    code: int
    texts: tuple[str, ...]

    @override
    def __str__(self) -> str:
        """Return the code and the first text as people read them."""
        return f"{self.code} {printable(self.texts[0], 120)}".rstrip()


class ReplyReader:
    """Makes replies of lines; a reply of several lines ends with "code text"."""

    def __init__(self, *, free_text: bool = False) -> None:
        """free_text: lines inside a reply may begin with anything, as in FTP."""
        self._free_text = free_text
        self._code = ""
        self._texts: list[str] = []

    def take(self, line: str) -> Reply | None:
        """Take a line; return the reply when it is whole. Raises AnswerError."""
        code, mark, text = line[:3], line[3:4], line[4:]
        is_reply = len(code) == 3 and code.isascii() and code.isdigit() and "1" <= code[0] <= "6"
        fits = is_reply and mark in {"", " ", "-"} and self._code in {"", code}
        if not fits:
            if self._free_text and self._code:
                self._texts.append(line)
                return None
            raise AnswerError(f"the line {line[:60]!r}")
        self._texts.append(text)
        self._code = code
        if mark == "-":
            return None
        reply = Reply(int(code), tuple(self._texts))
        self._code, self._texts = "", []
        return reply


class LineDialogue(SecuredDialogue):
    """Banner, then one command after the other; `_line` takes the lines of replies.

    Every step that was answered gives a value (banner_seconds, noop_seconds...).
    """

    protocol: str = ""
    farewell: bytes = b"QUIT\r\n"

    def __init__(self, host: str, port: int, *, tls: TlsOptions = NO_TLS, logon: Logon = _NOBODY) -> None:
        super().__init__(host, port, tls)
        self._logon = logon
        self._hidden = logon.hidden
        self._reader = LineReader()
        self._step = "banner"
        self._step_began: MonotonicSeconds = 0.0
        self._banner = ""

    @override
    def _rewind(self) -> None:
        self._reader = LineReader()
        self._step, self._banner = "banner", ""

    @override
    def _ready(self, now: MonotonicSeconds) -> list[Action]:
        if self._step == "banner":
            self._step_began = now
            return []
        return self._after_tls(now)

    def _after_tls(self, now: MonotonicSeconds) -> list[Action]:
        """Say the first thing after STARTTLS."""
        raise NotImplementedError

    def _line(self, line: str, now: MonotonicSeconds) -> list[Action]:
        """Take a line; raises AnswerError where it cannot be one."""
        raise NotImplementedError

    def _ask(self, step: str, command: str, now: MonotonicSeconds) -> list[Action]:
        self._step, self._step_began = step, now
        return [Send(command.encode() + b"\r\n")]

    def _answered(self, now: MonotonicSeconds) -> None:
        self._values[f"{self._step.lower().replace(' ', '_')}_seconds"] = now - self._step_began

    @override
    def _received(self, data: bytes, now: MonotonicSeconds) -> list[Action]:
        actions: list[Action] = []
        try:
            self._reader.add(data)
            while self._stage is Stage.TALKING and (line := self._reader.take()) is not None:
                actions += self._line(line, now)
        except AnswerError as error:
            return self._no_protocol(str(error))
        if actions and isinstance(actions[-1], Secure) and not self._reader.is_empty:
            return self._no_protocol("words after the go-ahead for TLS and before it stands, which are somebody else's")
        return actions

    def _no_protocol(self, why: str) -> list[Action]:
        return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target} does not speak {self.protocol}: {why}")

    def _wrong(self, said: object) -> list[Action]:
        """End: the server does not do what was asked."""
        return self._leave(self._bad(ErrorClass.WRONG_ANSWER, f"{self._target} answers {self._step}: {said}"))

    def _no_starttls(self) -> list[Action]:
        return self._leave(self._bad(ErrorClass.WRONG_ANSWER, f"{self._target} offers no STARTTLS"))

    def _leave(self, end: list[Action]) -> list[Action]:
        return [Send(self.farewell), Close(), *end]

    def _wants_tls(self) -> bool:
        return self._tls.mode is TlsMode.LATER and self._secured is None

    def _well(self, does: Iterable[str]) -> list[Action]:
        """End: all steps were good."""
        said = printable(self._banner, 60)
        return self._leave(self._good(f"{self._target} {' and '.join(does)}; it is {said!r}"))

    @override
    def _closed(self, now: MonotonicSeconds) -> list[Action]:
        if not self._reader.has_begun:
            return super()._closed(now)
        return self._bad(
            ErrorClass.NO_ANSWER, f"{self._target} closes the connection instead of answering {self._step}"
        )

    @override
    def _silence(self, now: MonotonicSeconds) -> list[Action]:
        if self._stage is not Stage.TALKING or not self._reader.has_begun:
            return super()._silence(now)
        waited = now - self._started
        detail = f"{self._target} accepts the connection and does not answer {self._step} ({waited:.1f} s waited)"
        return self._bad(ErrorClass.NO_ANSWER, detail)
