from btimd.capture.wire.program import compile_template
from btimd.capture.wire.tables import KeyTable, Tables
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
        assert tables.fields[at : at + count].tolist() == [[65535, -1]] * count


def test_a_dropped_template_comes_back_in_its_old_row() -> None:
    tables = Tables(default_rate=1)
    domain = tables.add_domain(tables.add_exporter(0, 1, "::1"), 0, 1, 10, 0)
    layout = compile_template(variable(0, 5), 10)
    row = tables.put_template(domain, 256, layout)
    tables.drop_template(domain, 256)
    assert tables.template_keys.get((domain << 16) | 256) == -1
    assert tables.put_template(domain, 256, layout) == row
    assert tables.template_keys.get((domain << 16) | 256) == row
