"""Distinct clients that found no room in the table of users: HyperLogLog sketches, one per cell and interval of 10 s.

A sketch has REGISTERS registers; a client belongs to one of them by ten bits of a hash of its address, and the register
keeps the largest rank seen, one more than the number of zeros at the start of the other bits (Flajolet, Fusy, Gandouet,
Meunier: HyperLogLog, 2007). Seeing a client again changes nothing, and the union of sketches is the maximum of their
registers. What a sketch amounts to is worked out in flows/distinct.py.

registers: uint8[n, REGISTERS], zeros where no sketch is. free: int32[n], numbers of sketches given back. The sketch of
a line of totals is noted in its column FLAGS, from SKETCH_SHIFT on: its number + 1, 0 = none.

Nobody is counted twice though a client may find room after it was refused: a pair that is made while there are sketches
is marked in `young`, uint8[pairs], and where its cell has a sketch in the minute it goes into one too, instead of being
counted by itself. What is in a sketch twice is in it once.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.kernels._jit import inlined, kernel
from btimd.kernels.aggregate import FINE_PER_COARSE, FLAGS, SKETCH_MASK, SKETCH_SHIFT, UNCOUNTED

REGISTER_BITS: Final = 10
REGISTERS: Final = 1 << REGISTER_BITS
RANK_BITS: Final = 31
MOST_RANK: Final = RANK_BITS + 1

# state: int64[STATE_SIZE]: sketches ever numbered, numbers given back, sketches in use, shares that found no sketch.
D_MADE, D_FREE, D_HELD, D_LOST = range(4)
STATE_SIZE: Final = 4

Registers = npt.NDArray[np.uint8]


@inlined
def client_hash(hi: Any, lo: Any, seed: Any) -> Any:
    """Return 41 well mixed bits of an address; no product leaves 63 bits, so it is the same without compiler."""
    one = ((lo ^ seed) & 0x7FFFFFFF) * 0x2545F491 ^ ((lo >> 31) & 0x7FFFFFFF) * 0x1B873593
    two = ((hi ^ (seed >> 31)) & 0x7FFFFFFF) * 0x19D699A5 ^ ((hi >> 31) & 0x7FFFFFFF) * 0x27D4EB2D
    rest = ((lo >> 62) & 3) | (((hi >> 62) & 3) << 2)
    one ^= two >> 29 ^ rest * 0x3C6EF372
    two ^= one >> 31
    one = ((one ^ (one >> 29)) & 0x7FFFFFFF) * 0x2C1B3C6D ^ two
    two = ((two ^ (one >> 30)) & 0x7FFFFFFF) * 0x297A2D39 ^ one
    one = ((one ^ (two >> 28)) & 0x7FFFFFFF) * 0x3D4D51CB
    two = ((two ^ (one >> 27)) & 0x7FFFFFFF) * 0x365667B1
    # The middle of a product is mixed best: its end depends on few bits, its start is not spread evenly.
    return ((two >> 24) & (REGISTERS - 1)) << RANK_BITS | ((one >> 20) & ((1 << RANK_BITS) - 1))


@inlined
def rank_of(value: Any) -> Any:
    """Return one more than the zeros at the start of the lower RANK_BITS bits."""
    rest = value & ((1 << RANK_BITS) - 1)
    rank = np.int64(1)
    while rank <= RANK_BITS and (rest >> (RANK_BITS - rank)) & 1 == 0:
        rank += 1
    return rank


@inlined
def note_client(
    line: Any,
    value: Any,
    totals: npt.NDArray[np.int64],
    registers: Registers,
    free: npt.NDArray[np.int32],
    state: npt.NDArray[np.int64],
) -> Any:
    """Put a client, by its hash, into the sketch of a line, new if need be; return 0, or UNCOUNTED without one."""
    number = (totals[line, FLAGS] >> SKETCH_SHIFT) & SKETCH_MASK
    if number == 0:
        if state[D_FREE] > 0:
            state[D_FREE] -= 1
            number = np.int64(free[state[D_FREE]]) + 1
        elif state[D_MADE] < len(registers):
            state[D_MADE] += 1
            number = state[D_MADE]
        else:
            state[D_LOST] += 1
            return np.int64(UNCOUNTED)
        state[D_HELD] += 1
        totals[line, FLAGS] |= number << SKETCH_SHIFT
    register = value >> RANK_BITS
    rank = rank_of(value)
    if registers[number - 1, register] < rank:  # noqa: PLR1730  what does not change is not written
        registers[number - 1, register] = rank
    return np.int64(0)


@inlined
def goes_into_sketch(
    interval: Any,
    cell: Any,
    new_in_minute: Any,
    value: Any,
    room: Any,
    slot_interval: npt.NDArray[np.int64],
    totals: npt.NDArray[np.int64],
    registers: Registers,
) -> Any:
    """Tell whether a young pair that is new in an interval goes into a sketch, so that it does not count twice.

    New in the minute: where its cell has a sketch in the minute, in which it may be since it was refused. Seen in the
    minute before: where the sketches of the minute would not change, as they do if it is in one of them; where they
    would, it was counted by itself from the start of the minute on.
    """
    mask = len(slot_interval) - 1
    first = interval // FINE_PER_COARSE * FINE_PER_COARSE
    register = value >> RANK_BITS
    rank = rank_of(value)
    for one in range(first, first + FINE_PER_COARSE):
        slot = one & mask
        if slot_interval[slot] != one:
            continue
        number = (totals[slot * room + cell, FLAGS] >> SKETCH_SHIFT) & SKETCH_MASK
        if number != 0 and (new_in_minute or registers[number - 1, register] >= rank):
            return True
    return False


@kernel
def note_clients(
    line: npt.NDArray[np.int64],
    hi: npt.NDArray[np.int64],
    lo: npt.NDArray[np.int64],
    seed: int,
    totals: npt.NDArray[np.int64],
    registers: Registers,
    free: npt.NDArray[np.int32],
    state: npt.NDArray[np.int64],
) -> int:
    """Put clients into the sketches of lines; return how many found none. For tests; collect does it by itself."""
    lost: Any = np.int64(0)
    for k in range(len(line)):
        flag = note_client(line[k], client_hash(hi[k], lo[k], seed), totals, registers, free, state)
        lost += np.int64(flag != 0)
    return int(lost)


@kernel
def drop_sketches(
    first_line: int,
    end_line: int,
    totals: npt.NDArray[np.int64],
    registers: Registers,
    free: npt.NDArray[np.int32],
    state: npt.NDArray[np.int64],
) -> int:
    """Give back the sketches of some lines; return how many."""
    dropped = 0
    for line in range(first_line, end_line):
        number = (totals[line, FLAGS] >> SKETCH_SHIFT) & SKETCH_MASK
        if number == 0:
            continue
        registers[number - 1, :] = 0
        free[state[D_FREE]] = number - 1
        state[D_FREE] += 1
        state[D_HELD] -= 1
        totals[line, FLAGS] &= (1 << SKETCH_SHIFT) - 1
        dropped += 1
    return dropped


@kernel
def merge_sketches(source: npt.NDArray[np.int64], target: npt.NDArray[np.int64], registers: Registers) -> int:
    """Let each sketch of `target` hold what its neighbour in `source` holds too; return how many."""
    for k in range(len(source)):
        for register in range(REGISTERS):
            rank = registers[source[k], register]
            if registers[target[k], register] < rank:  # noqa: PLR1730  what does not change is not written
                registers[target[k], register] = rank
    return len(source)


@kernel
def count_ranks(
    numbers: npt.NDArray[np.int64], registers: Registers, merged: Registers, ranks: npt.NDArray[np.int64]
) -> int:
    """Count the ranks in unions of sketches; return how many unions there are.

    numbers: int64[n, m], sketches of each union + 1, 0 = none. merged: uint8[REGISTERS], written. ranks:
    int64[n, MOST_RANK + 1], written: registers of each rank.
    """
    for k in range(len(numbers)):
        merged[:] = 0
        for part in range(numbers.shape[1]):
            number = numbers[k, part]
            if number == 0:
                continue
            for register in range(REGISTERS):
                if merged[register] < registers[number - 1, register]:  # noqa: PLR1730  likewise
                    merged[register] = registers[number - 1, register]
        ranks[k, :] = 0
        for register in range(REGISTERS):
            ranks[k, merged[register]] += 1
    return len(numbers)
