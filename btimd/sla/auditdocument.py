"""The audit trail and the alarms of the agreements as plain data, for the journal."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from btimd.model.agreement import AuditEntry, BurnWindow, OutageChange, RevisedFigures, Revision
from btimd.model.sla import Availability, SlaStatus
from btimd.sla.book import AgreementBook

TRAIL_VERSION: Final = 1


def trail_document(book: AgreementBook) -> dict[str, Any]:
    """Return the audit trail of a book."""
    return {
        "version": TRAIL_VERSION,
        "dropped": book.dropped_entries,
        "entries": [asdict(one) for one in book.audit],
        "burning": [list(one) for one in book.burning],
    }


def read_trail(document: object, book: AgreementBook) -> None:
    """Put a trail of `trail_document` into a book; raises ValueError for anything else, and changes nothing then."""
    if not isinstance(document, Mapping) or document.get("version") != TRAIL_VERSION:
        found = document.get("version") if isinstance(document, Mapping) else type(document).__name__
        raise ValueError(f"audit trail of version {found!r}, this program reads {TRAIL_VERSION}")
    try:
        entries, dropped = [_entry_of(one) for one in document["entries"]], int(document["dropped"])
        burning = [(str(name), str(subject), BurnWindow(window)) for name, subject, window in document["burning"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"audit trail is damaged: {error!r}") from error
    book.audit, book.dropped_entries, book.burning = entries, dropped, burning
    book.trim()


def _entry_of(document: Mapping[str, Any]) -> AuditEntry:
    written = dict(document["revision"])
    change = dict(written.pop("change"))
    condition = change.pop("availability")
    revision = Revision(
        **written, change=OutageChange(**change, availability=None if condition is None else Availability(condition))
    )
    effects = tuple(
        RevisedFigures(
            **{
                **one,
                "status_before": SlaStatus(one["status_before"]),
                "status_after": SlaStatus(one["status_after"]),
            }
        )
        for one in document["effects"]
    )
    return AuditEntry(int(document["number"]), revision, effects)
