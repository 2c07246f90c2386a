from btimd.capture.wire.program import FIXED_LAYOUTS, Layout, compile_template
from btimd.capture.wire.templates import Field, Template
from btimd.kernels import flowlayout as fl


def layout(*fields: tuple[int, ...], version: int = 10, is_options: bool = False) -> Layout:
    places = tuple(Field(rest[0] if rest else 0, element, length) for element, length, *rest in fields)
    return compile_template(Template(256, places, is_options, 0, b""), version)


def places(found: Layout) -> dict[int, tuple[int, int]]:
    pairs = zip(found.offsets, found.lengths, strict=True)
    return {slot: pair for slot, pair in enumerate(pairs) if pair[1]}


def test_a_template_becomes_offsets_and_lengths_by_slot() -> None:
    found = layout((8, 4), (210, 3), (12, 4), (1, 8), (152, 8), (153, 8))
    assert places(found) == {
        fl.S_SOURCE4: (0, 4), fl.S_DESTINATION4: (7, 4), fl.S_OCTETS: (11, 8), fl.S_START: (19, 8), fl.S_END: (27, 8),
    }  # fmt: skip
    wanted = {fl.T_LENGTH: 35, fl.T_START: fl.TIME_MILLISECONDS, fl.T_END: fl.TIME_MILLISECONDS}
    assert {column: value for column, value in enumerate(found.row) if value} == wanted


def test_fields_of_an_impossible_length_are_passed_over() -> None:
    assert places(layout((8, 16), (27, 4), (1, 9), (2, 0), (154, 4), (7, 2))) == {fl.S_SOURCE_PORT: (33, 2)}


def test_uptimes_come_before_seconds_in_v9_and_after_them_in_ipfix() -> None:
    fields = ((1, 4), (8, 4), (22, 4), (21, 4), (150, 4), (151, 4))
    kinds = [layout(*fields, version=version).row[fl.T_START] for version in (9, 10)]
    assert kinds == [fl.TIME_UPTIME, fl.TIME_SECONDS]


def test_variable_templates_list_all_fields_with_their_slots() -> None:
    found = layout((8, 4), (82, 65535), (323, 8))
    assert found.fields == ((4, fl.S_SOURCE4), (65535, -1), (8, fl.S_START))
    assert (found.row[fl.T_VARIABLE], found.row[fl.T_LENGTH], found.row[fl.T_END]) == (1, 13, fl.TIME_NONE)


def test_templates_are_flows_or_skipped_or_stopped_at() -> None:
    kinds = [
        layout((8, 4), (12, 4)).row[fl.T_KIND],
        layout((8, 4)).row[fl.T_KIND],
        layout((313, 200)).row[fl.T_KIND],
        layout((1, 4), (82, 32), is_options=True).row[fl.T_KIND],
        layout((1, 4), (34, 4), is_options=True).row[fl.T_KIND],
    ]
    assert kinds == [fl.KIND_FLOW, fl.KIND_SKIP_DATA, fl.KIND_SKIP_DATA, fl.KIND_SKIP_OPTIONS, fl.KIND_STOP]


def test_every_fixed_layout_keeps_its_fields_inside_the_record() -> None:
    assert [found.row[fl.T_LENGTH] for found in FIXED_LAYOUTS] == [48, 52, 48, 52]
    for found in FIXED_LAYOUTS:
        assert all(offset + length <= found.row[fl.T_LENGTH] for offset, length in places(found).values())
