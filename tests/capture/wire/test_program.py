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


def test_variable_templates_list_runs_of_fixed_fields_and_segments_behind_variable_ones() -> None:
    found = layout((8, 4), (12, 4), (82, 65535), (323, 8), (210, 3))
    assert found.fields == ((8, 0), (65535, 1 << 16), (11, 0))
    segment = 1 << fl.SEGMENT_SHIFT
    assert places(found) == {
        fl.S_SOURCE4: (0, 4), fl.S_DESTINATION4: (4, 4), fl.S_START: (segment, 8), fl.S_END: (segment, 8),
    }  # fmt: skip
    assert (found.row[fl.T_VARIABLE], found.row[fl.T_LENGTH], found.row[fl.T_END]) == (1, 20, fl.TIME_MILLISECONDS)


def test_a_variable_field_that_is_used_has_a_segment_and_gets_its_length_from_the_record() -> None:
    found = layout((8, 4), (1, 65535), (12, 4), (82, 65535), (82, 65535), (2, 4))
    assert found.fields == (
        (4, 0), (65535, fl.S_OCTETS + 1 | 1 << 8 | 2 << 16), (4, 0), (65535, 0), (65535, 3 << 16), (4, 0),
    )  # fmt: skip
    offsets = [found.offsets[slot] >> fl.SEGMENT_SHIFT for slot in (fl.S_OCTETS, fl.S_DESTINATION4, fl.S_PACKETS)]
    assert (offsets, found.lengths[fl.S_OCTETS], found.row[fl.T_VARIABLE]) == ([1, 2, 3], 0, 2)


def test_fields_in_more_segments_than_the_kernel_follows_are_left_out() -> None:
    fields = [field for _ in range(40) for field in ((82, 65535), (2, 4))]
    found = layout(*fields[:-1], (2, 4), (8, 4), (12, 4))
    assert found.row[fl.T_FIELD_COUNT] == len(found.fields)
    assert max(offset >> fl.SEGMENT_SHIFT for offset in found.offsets) < fl.SEGMENTS
    crowded = layout(*((element, 65535) for element in (*range(1, 40), 225, 226, 227, 228, 230, 233, 89, 234, 235, 95)))
    assert max(offset >> fl.SEGMENT_SHIFT for offset in crowded.offsets) < fl.SEGMENTS


def test_the_last_resort_for_octets_is_the_frame_and_the_record_says_so() -> None:
    plain, frames, none = (layout((8, 4), (12, 4), *more) for more in ([(1, 4), (352, 8)], [(352, 8)], [(2, 4)]))
    assert [found.offsets[fl.S_OCTETS] for found in (plain, frames)] == [8, 8]
    assert [found.row[fl.T_QUALITY] for found in (plain, frames, none)] == [0, fl.Q_LAYER2, fl.Q_NO_COUNTERS]


def test_only_templates_with_such_fields_ask_for_extra_columns() -> None:
    kinds = [(225, 4), (281, 16), (227, 2), (230, 1), (233, 1), (89, 1), (352, 8), (234, 4), (95, 4), (70, 3), (56, 6)]
    assert {layout((8, 4), (12, 4), (1, 4), field).row[fl.T_EXTRA] for field in kinds} == {1}
    others = [(225, 8), (70, 4), (56, 8), (58, 2), (82, 20)]
    assert {layout((8, 4), (12, 4), (1, 4), field).row[fl.T_EXTRA] for field in others} == {0}


def test_templates_are_flows_or_skipped_or_stopped_at() -> None:
    kinds = [
        layout((8, 4), (12, 4)).row[fl.T_KIND],
        layout((8, 4)).row[fl.T_KIND],
        layout((313, 200)).row[fl.T_KIND],
        layout((314, 200)).row[fl.T_KIND],
        layout((1, 4), (82, 32), is_options=True).row[fl.T_KIND],
        layout((1, 4), (34, 4), is_options=True).row[fl.T_KIND],
    ]
    assert kinds == [
        fl.KIND_FLOW,
        fl.KIND_SKIP_DATA,
        fl.KIND_FLOW,
        fl.KIND_SKIP_DATA,
        fl.KIND_SKIP_OPTIONS,
        fl.KIND_STOP,
    ]


def test_every_fixed_layout_keeps_its_fields_inside_the_record() -> None:
    assert [found.row[fl.T_LENGTH] for found in FIXED_LAYOUTS] == [48, 52, 48, 52]
    for found in FIXED_LAYOUTS:
        assert all(offset + length <= found.row[fl.T_LENGTH] for offset, length in places(found).values())
