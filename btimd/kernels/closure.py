"""What a question stands on: largest-product ways through a graph of needs, for many starts at once."""

from btimd.kernels._jit import kernel


@kernel
def closures(
    begin, start_starts, start_nodes, physical_only, limit, edge_starts, edge_to, edge_weight, edge_physical, cut,
    value, queued, queue, out_starts, out_node, out_value,
):  # fmt: skip
    """Write, for every question from number `begin` on, the nodes it reaches and the largest product of weights to each.

    start_starts: int64[questions + 1] into start_nodes: int32; the start nodes of a question have the value 1.
    physical_only: bool[questions], follow only edges with that mark. limit: most nodes of one question; the nearest stay.
    edge_starts: int64[nodes + 1], edge_to: int32[edges], edge_weight: float64[edges], 0 to 1, edge_physical:
    bool[edges]. cut: values below it are left out. Cycles do no harm.
    value: float64[nodes], all 0 before and after. queued: bool[nodes], all False before and after. queue: int32[nodes].
    out_starts: int64[questions + 1], out_node: int32[n], out_value: float32[n]: start nodes first, then by distance.
    Returns the number of the question that did not fit any more (call again from there with more room), else the number
    of questions.
    """
    capacity = len(out_node)
    size = len(queue)
    filled = out_starts[begin]
    for question in range(begin, len(physical_only)):
        first = filled
        head = 0
        waiting = 0
        fits = True
        for row in range(start_starts[question], start_starts[question + 1]):
            node = start_nodes[row]
            if value[node] == 0.0:
                if filled == capacity:
                    fits = False
                    break
                value[node] = 1.0
                out_node[filled] = node
                filled += 1
                queue[(head + waiting) % size] = node
                waiting += 1
                queued[node] = True
        while waiting > 0 and fits:
            node = queue[head]
            head = (head + 1) % size
            waiting -= 1
            queued[node] = False
            for edge in range(edge_starts[node], edge_starts[node + 1]):
                if physical_only[question] and not edge_physical[edge]:
                    continue
                target = edge_to[edge]
                reached = value[node] * edge_weight[edge]
                if reached < cut or reached <= value[target]:
                    continue
                if value[target] == 0.0:
                    if filled - first >= limit:
                        continue
                    if filled == capacity:
                        fits = False
                        break
                    out_node[filled] = target
                    filled += 1
                value[target] = reached
                if not queued[target]:
                    queued[target] = True
                    queue[(head + waiting) % size] = target
                    waiting += 1
        while waiting > 0:
            queued[queue[head]] = False
            head = (head + 1) % size
            waiting -= 1
        for row in range(first, filled):
            out_value[row] = value[out_node[row]]
            value[out_node[row]] = 0.0
        if not fits:
            return question
        out_starts[question + 1] = filled
    return len(physical_only)


@kernel
def expand_rows(
    questions, starts, nodes, values, question_node, physical_only, own_detection, first_fault, fault_gain,
    fault_unmodelled, wanted, cap, out_starts, out_fault, out_detection,
):  # fmt: skip
    """Write the faults that some questions see, from the nodes that they reach: one node has several faults.

    questions: int64[n]. starts: int64[all + 1], nodes: int32, values: float32: what `closures` wrote for all questions.
    question_node: int32[all], -1 = none, physical_only: bool[all], own_detection: float64[all], value at its own node.
    first_fault: int64[nodes + 1], fault_gain: float64[faults], how much of a value shows, fault_unmodelled:
    bool[faults], not seen by questions that are physical_only. wanted: int32[faults], the id to write for a fault, -1 =
    leave it out. cap: no detection is above it. out_starts: int64[n + 1]; out_fault: int32, out_detection: float64, with
    room for all. Returns how many were written.
    """
    filled = 0
    out_starts[0] = 0
    for row in range(len(questions)):
        question = questions[row]
        for entry in range(starts[question], starts[question + 1]):
            node = nodes[entry]
            value = float(values[entry])
            if node == question_node[question]:
                value = own_detection[question]
            for fault in range(first_fault[node], first_fault[node + 1]):
                if wanted[fault] < 0 or (fault_unmodelled[fault] and physical_only[question]):
                    continue
                out_fault[filled] = wanted[fault]
                out_detection[filled] = min(cap, value * fault_gain[fault])
                filled += 1
        out_starts[row + 1] = filled
    return filled
