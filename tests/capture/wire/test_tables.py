from btimd.capture.wire.program import compile_template
from btimd.capture.wire.tables import KeyTable, Tables, domain_key, port_of, scope_of
from btimd.capture.wire.templates import Field, Template
from btimd.kernels import flowlayout as fl


def test_a_key_table_grows_and_forgets_nothing() -> None:
    table = KeyTable()
    for key in range(0, 3000, 3):
        table.put(key, key + 1)
    table.put(0, 7)
    assert [table.get(key) for key in (0, 3, 2997, 1)] == [7, 4, 2998, -1]
    assert len(table.slots) >= 2000


def variable(number: int, fields: int) -> Template:
    return Template(256, tuple(Field(0, 82, 65535) for _ in range(fields)), False, 0, bytes([number]))


def test_fields_of_replaced_variable_templates_are_given_back() -> None:
    tables = Tables(default_rate=1)
    exporter = tables.add_exporter(0, 1, "::1")
    domain = tables.add_domain(exporter, 0, 1, 10, 0)
    steady = tables.put_template(domain, 999, compile_template(variable(0, 5), 10))
    row = -1
    for number in range(200):
        row = tables.put_template(domain, 256, compile_template(variable(number, 30 + number % 2), 10))
    assert len(tables.fields) <= 256
    for found, count in ((steady, 5), (row, 31)):
        at = int(tables.templates[found, fl.T_FIELD_AT])
        assert tables.templates[found, fl.T_FIELD_COUNT] == count
        assert tables.fields[at : at + count].tolist() == [[65535, 0]] * count


def test_a_dropped_template_comes_back_in_its_old_row() -> None:
    tables = Tables(default_rate=1)
    domain = tables.add_domain(tables.add_exporter(0, 1, "::1"), 0, 1, 10, 0)
    layout = compile_template(variable(0, 5), 10)
    row = tables.put_template(domain, 256, layout)
    tables.drop_template(domain, 256)
    assert tables.template_keys.get((domain << 16) | 256) == -1
    assert tables.put_template(domain, 256, layout) == row
    assert tables.template_keys.get((domain << 16) | 256) == row


def test_rows_of_domains_and_templates_that_are_gone_are_used_again() -> None:
    tables = Tables(default_rate=1)
    exporter = tables.add_exporter(0, 1, "::1")
    layout = compile_template(variable(0, 5), 10)
    rows = set()
    for port in range(100):
        domain = tables.add_domain(exporter, 0, 1, 10, 0, scope=scope_of(port, stream=True))
        rows.add((domain, tables.put_template(domain, 256 + port, layout)))
        tables.domains[domain, fl.D_RECORDS] = 2
        tables.sequences[domain, fl.E_DATAGRAMS] = 3
        tables.remove_template(domain, 256 + port)
        tables.remove_domain(domain)
        assert tables.domain_row(0, 1, domain_key(10, 0, scope_of(port, stream=True))) == -1
    assert (len(rows), tables.domains_in_use, exporter.domains, exporter.templates) == (1, 0, [], set())
    assert (exporter.retired_records, int(exporter.retired[fl.E_DATAGRAMS])) == (200, 300)
    assert len(tables.template_keys.slots) == 256


def test_domains_are_found_by_address_version_number_and_scope() -> None:
    tables = Tables(default_rate=1)
    exporter = tables.add_exporter(1 << 63, 5, "8000::5")
    scopes = [0, scope_of(0, stream=False), scope_of(7, stream=False), scope_of(7, stream=True)]
    rows = [tables.add_domain(exporter, 1 << 63, 5, 9, 77, scope=scope) for scope in scopes]
    assert [tables.domain_row(1 << 63, 5, domain_key(9, 77, scope)) for scope in scopes] == rows
    assert tables.domain_row(1 << 63, 6, domain_key(9, 77)) == -1
    assert [port_of(scope) for scope in scopes] == [0, 0, 7, 7]
    assert [tables.is_port_of(row, rows[0]) for row in rows] == [False, True, True, False]


def test_the_longest_idle_templates_come_first() -> None:
    tables = Tables(default_rate=1)
    exporter = tables.add_exporter(0, 1, "::1")
    domain = tables.add_domain(exporter, 0, 1, 10, 0)
    layout = compile_template(variable(0, 5), 10)
    for number, used in ((256, 30), (257, 10), (258, 20), (259, 50)):
        tables.templates[tables.put_template(domain, number, layout), fl.T_USED] = used
    assert [tables.owner(row) for row in tables.idle_templates(exporter, 50)] == [
        (domain, 257), (domain, 258), (domain, 256),
    ]  # fmt: skip
    assert tables.template_ids(domain) == [256, 257, 258, 259]
