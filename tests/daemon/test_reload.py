"""Going over to other files while running: good ones in one step, bad ones not at all."""

import asyncio
import hashlib
import socket
from pathlib import Path

import pytest

from btimd.api.client import CallFailedError, Client
from btimd.daemon.app import App
from btimd.daemon.config import Config, load_config
from btimd.daemon.reload import swap
from btimd.model.incident import CommandKind, IncidentCommand
from btimd.model.sla import Availability
from btimd.model.topology import DeviceFacts
from btimd.settings.report import SettingsError
from tests.daemon.small import PLAN, listener, running, services_text, settings_text, until, write_small


def outcome(app: App) -> tuple[float, float, float]:
    """Return (last successful, done, refused)."""
    value = app.wired.metrics.value
    counts = [value("btimd_config_reloads_total", {"outcome": name}) for name in ("done", "refused")]
    return value("btimd_config_last_reload_successful"), counts[0], counts[1]


@pytest.mark.slow
async def test_good_files_change_plan_rules_graph_businesses_and_what_is_probed(tmp_path: Path) -> None:
    async with listener() as port, running(write_small(tmp_path, services=services_text(port))) as app:
        wired = app.wired
        before = wired.flows.explain("10.1.1.7", "10.2.0.10", 443, 6)
        write_small(
            tmp_path,
            services=services_text(port, business="crm", name="CRM"),
            plan=PLAN.replace("Li Wei", "Zhang San"),
        )
        assert await app.reload()
        after = wired.flows.explain("10.1.1.7", "10.2.0.10", 443, 6)

        assert (before.businesses, before.person, after.businesses, after.person) == (
            ("erp",), "Li Wei", ("crm",), "Zhang San",
        )  # fmt: skip
        assert wired.rca.graph() is wired.decisions.graph is app.config.services.graph
        assert (app.config.generation, list(wired.rca.graph().nodes)) == (2, ["crm", "db1"])
        await until(lambda: [(s.target.business, s.current) for s in wired.sla.states()] == [("crm", Availability.UP)])
        assert outcome(app) == (1, 1, 0)


@pytest.mark.slow
async def test_all_that_lasts_is_settled_after_the_start_and_after_each_good_reload(tmp_path: Path) -> None:
    settled: list[int] = []
    async with running(write_small(tmp_path), settle=lambda: settled.append(1)) as app:
        after_start = len(settled)
        await app.reload()
        write_small(tmp_path, plan="prefix,region\nten,north\n")
        await app.reload()

    assert (after_start, len(settled)) == (1, 2)


@pytest.mark.slow
async def test_files_with_a_mistake_change_nothing_and_show_until_they_are_right(tmp_path: Path) -> None:
    async with running(write_small(tmp_path)) as app:
        config, graph = app.config, app.wired.rca.graph()
        write_small(tmp_path, services=services_text(70_000, business="crm"), plan="prefix,region\nten,north\n")
        assert not await app.reload()
        assert (app.config, app.wired.rca.graph()) == (config, graph)
        assert app.wired.flows.explain("10.1.1.7", "10.2.0.10", 443, 6).businesses == ("erp",)
        assert outcome(app) == (0, 0, 1)

        write_small(tmp_path)
        assert await app.reload()
        assert outcome(app) == (1, 1, 1)


async def test_a_bug_in_a_reload_is_a_failed_reload(tmp_path: Path) -> None:
    def broken() -> Config:
        raise ZeroDivisionError

    async with running(write_small(tmp_path)) as app:
        assert not await app.reload(broken)
        assert (app.config.generation, outcome(app)) == (1, (0, 0, 1))


async def test_what_needs_a_restart_is_named_until_there_is_one(tmp_path: Path) -> None:
    async with running(write_small(tmp_path)) as app:
        built_with = app.config
        write_small(tmp_path, settings=settings_text() + "[sla]\navailability_percent = 99.9\n")
        once = await swap(app.wired, built_with, load_config(tmp_path, 2))
        twice = await swap(app.wired, built_with, load_config(tmp_path, 3))
        write_small(tmp_path)

        assert (once, twice) == (("sla",), ("sla",))
        assert await swap(app.wired, built_with, load_config(tmp_path, 4)) == ()


AGREEMENT = '[sla.agreement.erp]\nkind = "sla"\nbusinesses = ["erp"]\navailability_percent = 99.9\n'


async def test_agreements_need_none(tmp_path: Path) -> None:
    async with running(write_small(tmp_path)) as app:
        write_small(tmp_path, settings=settings_text() + AGREEMENT)

        assert await swap(app.wired, app.config, load_config(tmp_path, 2)) == ()
        assert [one.name for one in app.wired.sla.agreements()] == ["erp"]


EXPORTER = '[capture.exporter.core]\naddress = "192.0.2.7"\nsampling_rate = 100\n'
ALLOWED = 'receive_buffer_bytes = 65536\nallow = ["192.0.2.0/24"]\n'


async def test_what_is_known_of_exporters_and_who_may_export_needs_none(tmp_path: Path) -> None:
    async with running(write_small(tmp_path)) as app:
        wired, built_with = app.wired, app.config
        restricted = settings_text().replace("receive_buffer_bytes = 65536\n", ALLOWED)
        write_small(tmp_path, settings=restricted + EXPORTER)
        assert await swap(wired, built_with, load_config(tmp_path, 2)) == ()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            await until(lambda: wired.decoder._rules.restricted)
            sender.sendto(bytes([0, 9]) + bytes(18), wired.capture.addresses[0])
            await until(lambda: bool(wired.flows.refused_exporters()))
        wired.capture.report()

        assert [one.address for one in wired.flows.refused_exporters()] == ["127.0.0.1"]
        assert wired.metrics.value("btimd_capture_decode_refused_exporters_total") == 1
        assert wired.metrics.value("btimd_capture_exporter_lost_records", {"exporter": "core"}) == 0


def tokens_text(secret: str) -> str:
    digest = hashlib.sha256(secret.encode()).hexdigest()
    return f'[[token]]\nname = "otto"\nrole = "operator"\nsha256 = "{digest}"\n'


def may_write(address: tuple[str, int], secret: str) -> str:
    """Return "" where a token is known, or the code of the refusal."""
    with Client(f"{address[0]}:{address[1]}", token=secret) as client:
        try:
            client.command(IncidentCommand(CommandKind.CREATE, f"c-{secret}", title="slow", businesses=("erp",)))
        except CallFailedError as error:
            return error.code
    return ""


@pytest.mark.slow
async def test_tokens_are_read_again_and_a_wrong_tokens_file_changes_nothing_at_all(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.toml"
    tokens.write_text(tokens_text("old"))
    tokens.chmod(0o600)
    write_small(tmp_path, settings=settings_text() + f'tokens_file = "{tokens}"\n')
    async with running(tmp_path) as app:
        address = app.wired.api.grpc_address
        tokens.write_text(tokens_text("new"))
        assert await app.reload()
        assert await asyncio.to_thread(may_write, address, "old") == "UNAUTHENTICATED"
        assert await asyncio.to_thread(may_write, address, "new") == ""

        tokens.write_text("token = nothing")
        (tmp_path / "services.toml").write_text(services_text(business="crm"))
        with pytest.raises(SettingsError, match=r"tokens: .*tokens\.toml"):
            await swap(app.wired, app.config, load_config(tmp_path, 3))
        assert not await app.reload()
        assert await asyncio.to_thread(may_write, address, "new") == ""
        assert list(app.wired.rca.graph().businesses) == ["erp"]


@pytest.mark.slow
async def test_devices_that_are_not_asked_any_more_leave_the_topology(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    core, edge = (DeviceFacts(name, f"10.0.0.{at}", 1_000) for at, name in enumerate(("core", "edge"), 1))
    async with running(write_small(tmp_path)) as app:
        for facts in (core, edge):
            app.wired.links.take_facts(facts)
        asked = iter([(core, edge), (core,)])  # before the reload and after it
        monkeypatch.setattr(app.wired.inventory, "devices", lambda: next(asked))

        assert await app.reload()

        assert [device.name for device in app.wired.links.desk.devices(limit=9)] == ["core"]
