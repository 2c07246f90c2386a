"""The kinds of checks that carry other programs' checks: monitoring plugins and exporters of metrics."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from btimd.model.service import Check, CheckKind, Closure
from btimd.probes.kinds import Errand, KindSpec, Secrets

_SECRET_FILE: Final = "$SECRET_FILE$"  # noqa: S105  a placeholder
_SECRET: Final = "$SECRET$"  # noqa: S105  a placeholder
_ENVIRONMENT: Final = "BTIMD_SECRET"
_WORDS: Final = {"true": True, "false": False}
_LONGEST_COMMAND: Final = 4096


@dataclass(frozen=True, slots=True)
class PluginErrand(Errand):
    """A plugin to run. program: as the operator wrote it; arguments: the list, without any shell.

    secret_name: the environment variable that gets the secret, "" = none; $SECRET_FILE$ in an argument becomes the
    path of a file in memory that holds it. warning_is_bad: exit status 1 is bad. slow_is_bad: a plugin that has to be
    killed at its time says that its target is bad, else it says nothing.
    """

    program: str
    arguments: tuple[str, ...]
    secret: str = field(default="", repr=False)
    secret_name: str = ""
    warning_is_bad: bool = False
    slow_is_bad: bool = False


def _plugin(check: Check, token: int, secrets: Secrets) -> Errand:
    del token
    options = check.options
    command = options.get("command", "")
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ValueError(f"command {command[:60]!r}: {error}; quote arguments as in a shell") from error
    if not words or len(command) > _LONGEST_COMMAND or "\0" in command:
        raise ValueError(
            'a plugin check needs a command of at most 4096 characters: options = { command = "check_tcp -H $HOST$" }'
        )
    if _SECRET in command:
        raise ValueError(
            "$SECRET$ would show the secret to everybody who lists processes; write secret_file and let the plugin "
            "read it from the environment (secret_env) or from the file $SECRET_FILE$"
        )
    if _SECRET_FILE in command and "secret_file" not in options:
        raise ValueError("the command names $SECRET_FILE$; write the option secret_file too")
    known = {
        "$HOST$": check.host,
        "$PORT$": str(check.port),
        "$TIMEOUT$": str(max(1, int(check.timeout_seconds - 0.3))),
    }
    return PluginErrand(
        words[0],
        tuple(_filled(word, known) for word in words[1:]),
        secret=secrets.get("secret", ""),
        secret_name=options.get("secret_env", _ENVIRONMENT) if "secret_file" in options else "",
        warning_is_bad=_choice(options, "warning", {"good": False, "bad": True}, otherwise="good"),
        slow_is_bad=_choice(options, "silence", {"unknown": False, "bad": True}, otherwise="unknown"),
    )


def _filled(word: str, known: Mapping[str, str]) -> str:
    for name, value in known.items():
        word = word.replace(name, value)
    return word


def _choice(options: Mapping[str, str], key: str, known: Mapping[str, bool], *, otherwise: str) -> bool:
    text = options.get(key, otherwise)
    if text not in known:
        raise ValueError(f"{key} {text!r} is unknown; write {' or '.join(known)}")
    return known[text]


KINDS: Final[Mapping[CheckKind, KindSpec]] = MappingProxyType({
    # What a plugin puts on its target is not known here: as much as a page, unless the table says otherwise.
    CheckKind.PLUGIN: KindSpec(
        4.0,
        Closure.FULL,
        _plugin,
        heavy=True,
        options={
            "command": "the program, by name or path within `[probes.plugins] directories`, and its arguments; quoted "
            "as in a shell, but no shell reads it. `$HOST$`, `$PORT$` and `$TIMEOUT$` (whole seconds that leave the "
            "plugin time to say so itself) stand for those of the check; needed",
            "warning": '`"bad"`: exit status 1 is bad; default `"good"`, told in the detail',
            "silence": '`"bad"`: a plugin that must be killed at its time says that its target is bad; default '
            '`"unknown"`',
            "secret_file": "file with a secret; `$SECRET_FILE$` in the command becomes the path of a copy in memory",
            "secret_env": "the environment variable that gets the secret; default `BTIMD_SECRET`",
        },
        outcomes={
            "wrong-answer": "the plugin says critical, or warning where that is bad",
            "timeout": "the plugin did not end in time (only with silence = bad)",
            "local-failure": "the plugin says unknown, is not there, not allowed, or was killed: no evidence",
        },
    ),
})  # fmt: skip
