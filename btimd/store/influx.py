"""A server with the InfluxDB 2.x API, through influxdb-client: its batching writer, and Flux.

The batching WriteApi joins what it is given within its flush interval into one request and reports through callbacks,
which it calls from its own thread: success with the data, or error with the data and the exception. It keeps no order
across a failure (a later batch may succeed after an earlier one failed) and holds what it has in memory, without a
bound. So it is given one batch at a time and nothing more before it has answered, and its own retries are off: order,
bound and repetition are the spool's business (store/delivery.py).

The Flux query is tested against a server that enforces the documented request and annotated CSV answer, not against
InfluxDB 2.x itself; writing is tested against real servers.
"""

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import WriteOptions
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from reactivex.scheduler import ThreadPoolScheduler
from typing_extensions import override

from btimd.model.points import SeriesQuery, SeriesRow
from btimd.model.units import MILLIS_PER_SECOND
from btimd.settings.fields import read_secret
from btimd.store.delivery import Poster, PostError
from btimd.store.influx1 import retry_after
from btimd.store.queries import check, from_flux, to_flux
from btimd.store.settings import InfluxSettings

_CLIENT_FLUSH_MILLISECONDS: Final = 50
_ENTRIES_PER_REQUEST: Final = 10_000
_MILLISECONDS: Final[Any] = WritePrecision.MS  # a plain text that the client's own annotation denies
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

REMEDIES: Final = {
    401: "check the token in influx.token_file",
    403: "give the token of influx.token_file the right to write into influx.bucket",
    404: "check influx.url, influx.org and influx.bucket; create the bucket if it is missing",
}


class Influx2Client(Poster):
    """One server, organization and bucket. query may be called from any thread."""

    def __init__(self, settings: InfluxSettings) -> None:
        self._settings = settings
        token = read_secret(settings.token_file).decode() if settings.token_file is not None else ""
        self._client: Any = InfluxDBClient(
            url=settings.url,
            token=token,
            org=settings.org,
            timeout=int(settings.timeout * MILLIS_PER_SECOND),
            ssl_ca_cert=None if settings.ca_file is None else str(settings.ca_file),
            retries=False,
        )
        # the client logs every failed batch as an error; the delivery says it once
        logging.getLogger("influxdb_client.client.write_api").setLevel(logging.CRITICAL)
        self._scheduler = ThreadPoolScheduler(max_workers=1)
        self._answered = threading.Condition()
        self._awaited = b""
        self._outcome: tuple[Exception | None] | None = None
        self._writer: Any = self._client.write_api(
            write_options=WriteOptions(
                batch_size=_ENTRIES_PER_REQUEST,
                flush_interval=_CLIENT_FLUSH_MILLISECONDS,
                max_retries=0,
                max_close_wait=2_000,
                write_scheduler=self._scheduler,
            ),
            success_callback=self._on_success,
            error_callback=self._on_error,
        )

    def _on_success(self, _: tuple[str, str, str], data: bytes) -> None:
        self._take_answer(data, None)

    def _on_error(self, _: tuple[str, str, str], data: bytes, error: Exception) -> None:
        self._take_answer(data, error)

    def _take_answer(self, data: bytes, error: Exception | None) -> None:
        """Take the answer to the batch that is waited for; a late one to a batch given up says nothing any more."""
        with self._answered:
            if data == self._awaited:
                self._outcome = (error,)
                self._answered.notify_all()

    @override
    def post(self, payloads: Sequence[bytes]) -> None:
        """Hand a batch to the client and wait for its answer; raises PostError."""
        joined = b"".join(payloads).rstrip(b"\n")
        with self._answered:
            self._awaited = joined
            self._outcome = None
        self._writer.write(self._settings.bucket, self._settings.org, joined, write_precision=_MILLISECONDS)
        patience = 2 * self._settings.timeout + 5.0  # connecting and reading have the time-out each
        with self._answered:
            self._answered.wait_for(lambda: self._outcome is not None, patience)
            outcome = self._outcome
        if outcome is None:
            raise PostError(None, f"no answer from {self._settings.url} within {patience:.0f} s")
        if outcome[0] is not None:
            raise self._as_post_error(outcome[0])

    def _as_post_error(self, error: Exception) -> PostError:
        if isinstance(error, ApiException):
            text = f"{self._settings.url} answered {error.status}: {_server_words(error)}"
            return PostError(error.status or None, text, retry_after(error.retry_after))
        return PostError(None, f"no answer from {self._settings.url}: {str(error) or type(error).__name__}")

    def query(self, query: SeriesQuery) -> Sequence[SeriesRow]:
        """Ask with Flux; blocks. Raises PostError, or ValueError with the server's words about the query."""
        check(query)
        try:
            tables = self._client.query_api().query(to_flux(query, self._settings.bucket), org=self._settings.org)
        except ApiException as error:
            if error.status == 400:  # noqa: PLR2004  Bad Request
                raise ValueError(_server_words(error)) from error
            raise self._as_post_error(error) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._as_post_error(error) from error
        return from_flux(query, _records(tables))

    @override
    def close(self) -> None:
        """Give threads and connections back."""
        self._writer.close()
        self._scheduler.executor.shutdown(wait=False)
        self._client.close()


def _records(tables: Any) -> Iterator[Mapping[str, Any]]:
    for table in tables:
        for record in table.records:
            at = record.values.get("_time")
            milliseconds = 0 if at is None else round((at - _EPOCH).total_seconds() * MILLIS_PER_SECOND)
            yield {**record.values, "_time": milliseconds}


def _server_words(error: ApiException) -> str:
    return str(error.message or error.reason or "")[:500]
