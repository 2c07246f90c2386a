"""A fake of what was heard."""

from typing_extensions import override

from btimd.model.heard import EventsView, Heard, HeardAs, Sender

HEARD = Heard(5.0, "syslog", "10.0.0.1", HeardAs.BAD, "db", "disk-full", "No space left")


class FakeEvents(EventsView):
    def __init__(self) -> None:
        self.asked: list[object] = []

    @override
    def heard(self, *, limit: int, node: str | None = None, heard_as: HeardAs | None = None) -> list[Heard]:
        self.asked.append((limit, node, heard_as))
        return [HEARD]

    @override
    def senders(self) -> list[Sender]:
        return [Sender("syslog", "10.0.0.1", 1, 2, 3, 5.0, "hello")]

    @override
    def record_change(self, node: str, text: str, actor: str) -> Heard:
        if node != "db":
            raise KeyError(node)
        return Heard(5.0, "person", actor, HeardAs.CHANGE, node, "", text)
