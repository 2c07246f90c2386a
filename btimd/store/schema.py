"""The schema of a database file of btimd: whose it is, which version it has, and what brings it up to date."""

import sqlite3
from collections.abc import Sequence


class SchemaError(Exception):
    """A database that is not btimd's, or of a newer one."""


def migrate(connection: sqlite3.Connection, application_id: int, scripts: Sequence[str]) -> None:
    """Run the scripts that a file has not seen, within the caller's transaction; raises SchemaError.

    application_id: what files of this kind are marked with. scripts: one per schema version, in order; a released one
    is never changed.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != application_id and tables:
        raise SchemaError("it is a database of something else; move it away")
    if version > len(scripts):
        raise SchemaError(
            f"its schema is version {version}, this btimd knows up to {len(scripts)}; install the newer btimd again"
        )
    for script in scripts[version:]:
        for statement in script.split(";"):
            if statement.strip():
                connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {application_id}")
    connection.execute(f"PRAGMA user_version = {len(scripts)}")
