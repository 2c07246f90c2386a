"""Redis and its kin: does it answer, is it loaded, does a replica still hear its master."""

import shlex
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.probes.wire.dialogue import AnswerError, Secure, Send, printable
from btimd.probes.wire.resp import RedisError, Reply, decode_info, encode_command, read_reply
from btimd.probes.wire.script import Account, Halt, Question, Script, Talk

REDIS_PORT: Final = 6379
_ROLES: Final = ("", "master", "slave", "replica")
_NOT_ALLOWED: Final = frozenset({"NOAUTH", "WRONGPASS", "NOPERM", "DENIED"})
_VALUES: Final = ("connected_clients", "maxclients", "blocked_clients", "used_memory", "loading")


class RedisDialogue(Script):
    """Logs on where there is a password, sends PING or the operator's command, and reads INFO.

    Good when the command is answered, no data set is being loaded, and a replica has its master. Without a password a
    server that asks for one is good. role: "master" or "replica" must be what INFO says.
    """

    protocol = "RESP (Redis)"

    def __init__(
        self,
        host: str,
        port: int,
        account: Account,
        question: Question | None = None,
        *,
        role: str = "",
        resp3: bool = False,
    ) -> None:
        super().__init__(host, port or REDIS_PORT)
        if role not in _ROLES:
            raise ValueError(f'role {role!r} is unknown; write "master" or "replica"')
        self._account = account
        self._question = question or Question()
        self._role = "slave" if role == "replica" else role
        self._resp3 = resp3
        try:
            self._command = shlex.split(self._question.query) or ["PING"]
        except ValueError as error:
            raise ValueError(f"query {self._question.query!r} is no command: {error}") from None

    @override
    def _conversation(self) -> Talk[str]:
        if self._account.tls.is_needed:
            yield Secure(self._host, verify=self._account.tls.is_verified)
        self._doing = "finish the logon"
        yield from self._log_on()
        self._doing = f"answer {printable(self._command[0], 40)}"
        began = self._now
        reply = yield from self._ask(*self._command)
        self._elapsed("query_seconds", began)
        self._elapsed("answer_seconds")
        if isinstance(reply, RedisError) and reply.code == "NOAUTH" and self._account.password is None:
            return "answers and asks for a password; no command was tried"
        self._check(reply)
        if self._question.query:
            self._question.judge(None if reply is None else str(reply))
        elif reply != "PONG":
            raise AnswerError(f"PING answered with {printable(repr(reply), 40)}")
        told = yield from self._look_around()
        return f"answers {printable(self._command[0], 40)}{told}"

    def _log_on(self) -> Talk[None]:
        password = self._account.password
        user = self._account.user or "default"
        if self._resp3:
            words = ["HELLO", "3"] if password is None else ["HELLO", "3", "AUTH", user, password]
        elif password is None:
            return
        else:  # servers before version 6 know no users
            words = ["AUTH", password] if user == "default" else ["AUTH", user, password]
        reply = yield from self._ask(*words)
        self._elapsed("logon_seconds")
        wants_password = isinstance(reply, RedisError) and reply.code == "NOAUTH" and password is None
        if isinstance(reply, RedisError) and not wants_password:
            self._check(reply, logon=True)

    def _ask(self, *words: str) -> Talk[Reply]:
        yield Send(encode_command(*words))
        return (yield from read_reply())

    @staticmethod
    def _check(reply: Reply, *, logon: bool = False) -> None:
        """Raise Halt for an error."""
        if not isinstance(reply, RedisError):
            return
        says = f"says {printable(reply, 160)}"
        if reply.code in _NOT_ALLOWED or (logon and reply.code == "ERR" and "max number" not in reply):
            raise Halt(ErrorClass.NOT_PERMITTED, f"{says}; check the probe's user, password and rights")
        raise Halt(ErrorClass.WRONG_ANSWER, says)

    def _look_around(self) -> Talk[str]:
        """Read INFO, where it is allowed; return what is worth telling."""
        self._doing = "tell its state (INFO)"
        reply = yield from self._ask("INFO")
        if not isinstance(reply, str) or isinstance(reply, RedisError):
            return "; INFO is not allowed" + (", so its role is not known" if self._role else "")
        info = decode_info(reply)
        for name in _VALUES:
            if info.get(name, "").isdigit() and info[name].isascii():
                self._values[name] = float(info[name][:18])
        role = info.get("role", "")
        told = f", Redis {printable(info.get('redis_version', 'of unknown version'), 20)}, {printable(role, 20)}"
        if info.get("loading") == "1":
            raise Halt(ErrorClass.WRONG_ANSWER, f"is loading its data set{told}")
        if role == "slave" and info.get("master_link_status", "up") != "up":
            raise Halt(ErrorClass.WRONG_ANSWER, f"is a replica whose link to its master is down{told}")
        if self._role and role != self._role:
            raise Halt(ErrorClass.WRONG_ANSWER, f"is {printable(role, 20)!r}, expected {self._role!r}{told}")
        return told
