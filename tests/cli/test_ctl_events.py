from btimd.cli.ctl_events import events_table, senders_table
from btimd.model.heard import Heard, HeardAs, Sender


def test_what_was_heard_and_who_sent_are_tables() -> None:
    heard = events_table([Heard(5.0, "syslog", "10.0.0.1", HeardAs.NO_NODE, "", "", "hello")])
    assert [str(next(iter(column.cells))) for column in heard.columns][1:] == [
        "syslog: no-node",
        "10.0.0.1",
        "-",
        "-",
        "hello",
    ]
    sent = senders_table([Sender("trap", "10.0.0.1", 1, 2, 3, 5.0, "")])
    assert [str(next(iter(column.cells))) for column in sent.columns][:5] == ["10.0.0.1", "trap", "1", "2", "3"]
