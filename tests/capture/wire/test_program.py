from btimd.capture.wire.program import FIXED_LAYOUTS, Layout, compile_template
from btimd.capture.wire.templates import Field, Template
from btimd.kernels import flowrecords as fr


def layout(*fields: tuple[int, ...], version: int = 10, is_options: bool = False) -> Layout:
    places = tuple(Field(rest[0] if rest else 0, element, length) for element, length, *rest in fields)
    return compile_template(Template(256, places, is_options, 0, b""), version)


def places(found: Layout) -> dict[int, tuple[int, int]]:
    pairs = zip(found.offsets, found.lengths, strict=True)
    return {slot: pair for slot, pair in enumerate(pairs) if pair[1]}


def test_a_template_becomes_offsets_and_lengths_by_slot() -> None:
    found = layout((8, 4), (210, 3), (12, 4), (1, 8), (152, 8), (153, 8))
    assert places(found) == {
        fr.S_SOURCE4: (0, 4), fr.S_DESTINATION4: (7, 4), fr.S_OCTETS: (11, 8), fr.S_START: (19, 8), fr.S_END: (27, 8),
    }  # fmt: skip
    wanted = {fr.T_LENGTH: 35, fr.T_START: fr.TIME_MILLISECONDS, fr.T_END: fr.TIME_MILLISECONDS}
    assert {column: value for column, value in enumerate(found.row) if value} == wanted


def test_fields_of_an_impossible_length_are_passed_over() -> None:
    assert places(layout((8, 16), (27, 4), (1, 9), (2, 0), (154, 4), (7, 2))) == {fr.S_SOURCE_PORT: (33, 2)}


def test_uptimes_come_before_seconds_in_v9_and_after_them_in_ipfix() -> None:
    fields = ((1, 4), (8, 4), (22, 4), (21, 4), (150, 4), (151, 4))
    kinds = [layout(*fields, version=version).row[fr.T_START] for version in (9, 10)]
    assert kinds == [fr.TIME_UPTIME, fr.TIME_SECONDS]


def test_variable_templates_list_all_fields_with_their_slots() -> None:
    found = layout((8, 4), (82, 65535), (323, 8))
    assert found.fields == ((4, fr.S_SOURCE4), (65535, -1), (8, fr.S_START))
    assert (found.row[fr.T_VARIABLE], found.row[fr.T_LENGTH], found.row[fr.T_END]) == (1, 13, fr.TIME_NONE)


def test_templates_are_flows_or_skipped_or_stopped_at() -> None:
    kinds = [
        layout((8, 4), (12, 4)).row[fr.T_KIND],
        layout((8, 4)).row[fr.T_KIND],
        layout((313, 200)).row[fr.T_KIND],
        layout((1, 4), (82, 32), is_options=True).row[fr.T_KIND],
        layout((1, 4), (34, 4), is_options=True).row[fr.T_KIND],
    ]
    assert kinds == [fr.KIND_FLOW, fr.KIND_SKIP_DATA, fr.KIND_SKIP_DATA, fr.KIND_SKIP_OPTIONS, fr.KIND_STOP]


def test_every_fixed_layout_keeps_its_fields_inside_the_record() -> None:
    assert [found.row[fr.T_LENGTH] for found in FIXED_LAYOUTS] == [48, 52, 48, 52]
    for found in FIXED_LAYOUTS:
        assert all(offset + length <= found.row[fr.T_LENGTH] for offset, length in places(found).values())
