import struct

from btimd.capture.wire.templates import (
    Field,
    Invalid,
    Stored,
    Template,
    TemplateKey,
    TemplateStore,
    Withdrawal,
    parse_template_set,
)  # fmt: skip
from tests.capture.wire.crafting import PAIR_FIELDS, options_template, template


def parse(version: int, set_id: int, body: bytes, max_fields: int = 10) -> list[Template | Withdrawal | Invalid]:
    return list(parse_template_set(version, set_id, body, exporter="192.0.2.1", domain=1, max_fields=max_fields))


def reasons(found: list[Template | Withdrawal | Invalid]) -> list[str]:
    return [item.error.reason for item in found if isinstance(item, Invalid)]


def test_several_templates_of_one_set_come_in_wire_order() -> None:
    body = template(300, PAIR_FIELDS) + template(256, [(1, 4)])
    assert parse(9, 0, body + b"\0\0\0\0\0\0\0") == [
        Template(300, (Field(0, 8, 4), Field(0, 12, 4)), False, 0, template(300, PAIR_FIELDS)),
        Template(256, (Field(0, 1, 4),), False, 0, template(256, [(1, 4)])),
    ]


def test_the_enterprise_bit_is_one_in_ipfix_only() -> None:
    body = template(256, [(86, 8, 29305)], ipfix=True)
    [found] = parse(10, 2, body)
    assert isinstance(found, Template)
    assert found.fields == (Field(29305, 86, 8),)
    [vendor] = parse(9, 0, template(256, [(0x8001, 4)]))
    assert isinstance(vendor, Template)
    assert vendor.fields == (Field(0, 0x8001, 4),)


def test_scopes_are_octets_in_v9_and_fields_in_ipfix() -> None:
    for version, set_id, is_ipfix in ((9, 1, False), (10, 3, True)):
        [found] = parse(version, set_id, options_template(256, [(1, 4), (2, 2)], [(34, 4)], ipfix=is_ipfix))
        assert isinstance(found, Template)
        assert (found.is_options, found.scope_count, len(found.fields)) == (True, 2, 3)


def test_withdrawals_are_named() -> None:
    assert parse(10, 2, struct.pack(">HH", 256, 0)) == [Withdrawal(256)]


def test_invalid_definitions_say_what_is_wrong_and_the_next_is_read() -> None:
    body = (
        template(256, [])
        + template(257, [(1, 4)] * 11)
        + template(258, [(1, 60_000), (2, 60_000)])
        + template(259, [(1, 4)])
    )
    found = parse(9, 0, body)
    assert reasons(found) == [
        "template without fields", "11 fields, more than the limit of 10", "records of 120000 octets fit no datagram",
    ]  # fmt: skip
    assert isinstance(found[-1], Template)
    assert reasons(parse(10, 3, struct.pack(">HHHHH", 256, 1, 2, 1, 4))) == ["2 scope fields of 1"]


def test_definitions_cut_off_anywhere_are_invalid_or_absent() -> None:
    whole = options_template(256, [(1, 4, 9)], [(34, 4, 9)], ipfix=True)
    for size in range(len(whole)):
        found = parse(10, 3, whole[:size])
        assert not found or isinstance(found[0], Invalid)
        assert len(found) == (size >= 4)


def key(number: int, exporter: str = "192.0.2.1") -> TemplateKey:
    return TemplateKey(exporter, 9, 0, number)


def layout(*lengths: int) -> Template:
    fields = tuple(Field(0, 1, length) for length in lengths)
    return Template(256, fields, False, 0, bytes(lengths))


def test_the_store_tells_new_changed_and_refreshed_templates_apart() -> None:
    store = TemplateStore(max_exporters=1, max_templates=2, max_total_fields=100)
    assert [store.put(key(256), layout(4)), store.put(key(256), layout(4)), store.put(key(256), layout(8))] == [
        Stored.NEW, Stored.REFRESHED, Stored.CHANGED,
    ]  # fmt: skip
    assert store.get(key(256)) == layout(8)
    store.discard(key(256))
    assert (store.get(key(256)), store.put(key(256), layout(8))) == (None, Stored.CHANGED)


def test_the_store_is_bounded_by_exporters_ids_and_fields() -> None:
    store = TemplateStore(max_exporters=1, max_templates=2, max_total_fields=5)
    assert store.put(key(256), layout(1, 1)) is Stored.NEW
    assert store.put(key(256, "192.0.2.2"), layout(1)) is Stored.REFUSED
    assert store.put(key(257), layout(1, 1, 1, 1)) is Stored.REFUSED
    assert store.put(key(257), layout(1, 1)) is Stored.NEW
    assert store.put(key(258), layout(1)) is Stored.REFUSED
    assert store.put(key(256), layout(1, 1, 1)) is Stored.CHANGED
    assert store.put(key(256), layout(1, 1, 1, 1)) is Stored.REFUSED
    assert (len(store), store.count("192.0.2.1"), store.count("192.0.2.2")) == (2, 2, 0)
