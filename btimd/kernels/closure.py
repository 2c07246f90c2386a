"""Who is hit by a fault, and how surely: damage goes from what is needed to who needs it, over all ways at once."""

from math import exp, log1p

import numpy as np
import numpy.typing as npt

from btimd.kernels._jit import kernel

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
I8 = npt.NDArray[np.int8]
F64 = npt.NDArray[np.float64]
F32 = npt.NDArray[np.float32]
B = npt.NDArray[np.bool_]


@kernel
def order_by_needs(edge_starts: I64, edge_to: I32, state: I8, stack: I32, place: I64, rank: I32) -> int:
    """Write ranks such that whatever a node needs has a lower one; on a circle one edge goes against it.

    edge_starts: int64[nodes + 1], edge_to: int32[edges], what each node needs. state: int8[nodes], all 0. stack:
    int32[nodes], place: int64[nodes], scratch. rank: int32[nodes]. Returns the number of nodes.
    """
    following = 0
    for root in range(len(rank)):
        if state[root] != 0:
            continue
        height = 1
        stack[0] = root
        state[root] = 1
        place[root] = edge_starts[root]
        while height > 0:
            node = stack[height - 1]
            if place[node] < edge_starts[node + 1]:
                below = edge_to[place[node]]
                place[node] += 1
                if state[below] == 0:
                    state[below] = 1
                    place[below] = edge_starts[below]
                    stack[height] = below
                    height += 1
            else:
                rank[node] = following
                following += 1
                height -= 1
    return following


@kernel
def effects(
    begin: int,
    physical_only: bool,  # noqa: FBT001  a kernel takes its arguments by place
    user_starts: I64,
    user_node: I32,
    user_weight: F64,
    user_physical: B,
    rank: I32,
    node_at: I32,
    cut: float,
    blend: float,
    spared: F64,
    most: F64,
    heap: I32,
    out_starts: I64,
    out_node: I32,
    out_value: F32,
) -> int:
    """Write, for every fault from node `begin` on, which nodes it impairs and how surely.

    A node is impaired by what it needs over every way: 1 - product of (1 - weight * P(needed is impaired)), and over
    the surest way alone: the largest product of weights. Graphs do not tell which is right, so `blend` (0 to 1) mixes:
    blend * the first + (1 - blend) * the second. physical_only: follow only edges with that mark.
    user_starts: int64[nodes + 1], user_node: int32, user_weight: float64, user_physical: bool, who needs each node.
    rank: int32[nodes] from order_by_needs, node_at: int32[nodes], its inverse. cut: less than it is left out.
    spared, most: float64[nodes], all 0 before and after. heap: int32[nodes]. out_starts: int64[nodes + 1], out_node:
    int32[n], out_value: float32[n]: the faulty node first, with 1, then by rank.
    Returns the number of the node that did not fit any more (call again from there with more room), or of all nodes.
    """
    filled = out_starts[begin]
    for cause in range(begin, len(rank)):
        fits = True
        size = 1
        heap[0] = rank[cause]
        most[cause] = 1.0
        while size > 0:
            node = node_at[heap[0]]
            size -= 1
            last = heap[size]
            at = 0
            while True:
                child = 2 * at + 1
                if child >= size:
                    break
                if child + 1 < size and heap[child + 1] < heap[child]:
                    child += 1
                if heap[child] >= last:
                    break
                heap[at] = heap[child]
                at = child
            heap[at] = last
            surest = most[node]
            damage = 1.0 if node == cause else 1.0 - exp(spared[node])
            most[node] = 0.0
            spared[node] = 0.0
            value = blend * damage + (1.0 - blend) * surest
            if value < cut or not fits:
                continue
            if filled == len(out_node):
                fits = False
                continue
            out_node[filled] = node
            out_value[filled] = value
            filled += 1
            for edge in range(user_starts[node], user_starts[node + 1]):
                user = user_node[edge]
                if (physical_only and not user_physical[edge]) or rank[user] <= rank[node] or user_weight[edge] <= 0.0:
                    continue
                if most[user] == 0.0:
                    at = size
                    size += 1
                    while at > 0 and heap[(at - 1) // 2] > rank[user]:
                        heap[at] = heap[(at - 1) // 2]
                        at = (at - 1) // 2
                    heap[at] = rank[user]
                most[user] = max(most[user], user_weight[edge] * surest)
                spared[user] += log1p(-min(user_weight[edge] * damage, 0.999999))
        if not fits:
            return cause
        out_starts[cause + 1] = filled
    return len(rank)


@kernel
def turned(starts: I64, nodes: I32, values: F32, out_starts: I64, out_node: I32, out_value: F32) -> int:
    """Turn rows 'fault: who is hit' into rows 'who is hit: by which faults', each ascending.

    starts: int64[n + 1], nodes: int32, values: float32. out_starts: int64[n + 1], all 0; out_node, out_value as nodes
    and values. Returns the number of entries.
    """
    for entry in range(starts[len(starts) - 1]):
        out_starts[nodes[entry] + 1] += 1
    for node in range(len(out_starts) - 1):
        out_starts[node + 1] += out_starts[node]
    for cause in range(len(starts) - 1):
        for entry in range(starts[cause], starts[cause + 1]):
            place = out_starts[nodes[entry]]
            out_node[place] = cause
            out_value[place] = values[entry]
            out_starts[nodes[entry]] = place + 1
    for node in range(len(out_starts) - 1, 0, -1):
        out_starts[node] = out_starts[node - 1]
    out_starts[0] = 0
    return int(starts[len(starts) - 1])


@kernel
def merged(
    begin: int,
    need_starts: I64,
    needs: I32,
    starts: I64,
    nodes: I32,
    values: F32,
    dense: F64,
    touched: I32,
    out_starts: I64,
    out_node: I32,
    out_value: F32,
) -> int:
    """Write rows of questions that stand on several nodes: hit if any of them is.

    need_starts: int64[questions + 1] into needs: int32 nodes. starts, nodes, values: rows of the nodes, from `turned`.
    dense: float64[nodes], all 0 before and after, touched: int32[nodes]. out_starts: int64[questions + 1], out_node:
    int32[n], out_value: float32[n]. Returns the question that did not fit any more, or their number.
    """
    filled = out_starts[begin]
    for question in range(begin, len(need_starts) - 1):
        count = 0
        for row in range(need_starts[question], need_starts[question + 1]):
            need = needs[row]
            for entry in range(starts[need], starts[need + 1]):
                node = nodes[entry]
                if dense[node] == 0.0:
                    touched[count] = node
                    count += 1
                dense[node] = 1.0 - (1.0 - dense[node]) * (1.0 - values[entry])
        fits = filled + count <= len(out_node)
        for row in range(count):
            if fits:
                out_node[filled + row] = touched[row]
                out_value[filled + row] = dense[touched[row]]
            dense[touched[row]] = 0.0
        if not fits:
            return question
        filled += count
        out_starts[question + 1] = filled
    return len(need_starts) - 1


@kernel
def expand_rows(
    begin: int,
    questions: I64,
    row_of: I64,
    starts: I64,
    nodes: I32,
    values: F32,
    question_node: I32,
    physical_only: B,
    own_detection: F64,
    first_fault: I64,
    fault_gain: F64,
    fault_unmodelled: B,
    wanted: I32,
    looked_at: B,
    cap: float,
    out_starts: I64,
    out_fault: I32,
    out_detection: F64,
) -> int:
    """Write the faults that some questions see, from the nodes that they reach: one node has several faults.

    begin: row of `questions` to begin with. questions: int64[n]. row_of: int64[all], the row of each question
    in starts: int64[rows + 1], nodes: int32, values: float32.
    question_node: int32[all], -1 = none, physical_only: bool[all], own_detection: float64[all], value at its own node.
    first_fault: int64[nodes + 1], fault_gain: float64[faults], how much of a value shows, fault_unmodelled:
    bool[faults], not seen by questions that are physical_only. wanted: int32[faults], the id to write for a fault,
    -1 = leave it out. looked_at: bool[nodes], False where none of a node's faults is wanted: most nodes are passed
    over by it. cap: no detection is above it. out_starts: int64[n + 1], right up to `begin`; out_fault: int32,
    out_detection: float64.
    Returns the question that did not fit any more (the next call may begin there), or their number.
    """
    filled = out_starts[begin]
    for row in range(begin, len(questions)):
        question = questions[row]
        for entry in range(starts[row_of[question]], starts[row_of[question] + 1]):
            node = nodes[entry]
            if not looked_at[node]:
                continue
            value = float(values[entry])
            if node == question_node[question]:
                value = own_detection[question]
            for fault in range(first_fault[node], first_fault[node + 1]):
                if wanted[fault] < 0 or (fault_unmodelled[fault] and physical_only[question]):
                    continue
                if filled == len(out_fault):
                    return row
                out_fault[filled] = wanted[fault]
                out_detection[filled] = min(cap, value * fault_gain[fault])
                filled += 1
        out_starts[row + 1] = filled
    return len(questions)
