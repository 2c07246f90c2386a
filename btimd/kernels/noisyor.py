"""How well sets of faults explain answers: a noisy-OR with a leak, over the faults that are candidates.

An answer that is bad is a *positive*. Of each, three numbers say what a set of faults makes of it:
quiet = (1 - leak) * product of (1 - detection), the probability that it would be good; load = -log(quiet); and kind =
the same sum with every part weighed by the probability of the error class that was seen (1 where none was). Then
P(answer | set) = (1 - quiet) * kind / load.
"""

from math import exp, log, log1p
from typing import Any

import numpy as np
import numpy.typing as npt

from btimd.kernels._jit import inlined, kernel

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
F64 = npt.NDArray[np.float64]
B = npt.NDArray[np.bool_]


@kernel
def good_cost(
    begin_groups: I64,
    starts: I64,
    faults: I32,
    detection: F64,
    weight: F64,
    doubt: float,
    shared: float,
    sign: float,
    total: F64,
    luck: F64,
    each: F64,
    touched: I32,
    cost: F64,
) -> int:
    """Add to `cost` what good answers say against each candidate: sign * log of P(all are good) per group.

    What a group sees of a fault is partly drawn once for all of it: a detection d is d^shared for the group as a whole
    and d^(1 - shared) for each question of it; and with probability `doubt` the group does not see the fault at all.

    begin_groups: int64[groups + 1], the questions of each group, which stand together. starts: int64[questions + 1],
    faults: int32 candidates, detection: float64. weight: float64[questions].
    total: float64[candidates], all 0 before and after. luck, each: float64[candidates], touched: int32[candidates],
    scratch. cost: float64[candidates].
    Returns how many pairs of group and candidate there were.
    """
    pairs = 0
    for group in range(len(begin_groups) - 1):
        count = 0
        for question in range(begin_groups[group], begin_groups[group + 1]):
            for entry in range(starts[question], starts[question + 1]):
                candidate = faults[entry]
                if detection[entry] <= 0.0:
                    continue
                if total[candidate] == 0.0:
                    touched[count] = candidate
                    count += 1
                    luck[candidate] = 0.0
                # Most questions of a group see a fault alike, and a power takes as long as all the rest.
                if detection[entry] == luck[candidate]:
                    said = each[candidate]
                else:
                    said = log1p(-(detection[entry] ** (1.0 - shared)))
                    if detection[entry] > luck[candidate]:
                        luck[candidate] = detection[entry]
                        each[candidate] = said
                total[candidate] += weight[question] * said
        for row in range(count):
            candidate = touched[row]
            seen = (1.0 - doubt) * luck[candidate] ** shared
            cost[candidate] += sign * log(seen * exp(total[candidate]) + 1.0 - seen)
            total[candidate] = 0.0
        pairs += count
    return pairs


@kernel
def columns(starts: I64, candidates: I32, column_starts: I64, column_row: I32, column_entry: I64) -> int:
    """Turn rows of candidates into columns: which positives each candidate shows in.

    starts: int64[rows + 1], candidates: int32[n]. column_starts: int64[columns + 1], all 0. column_row: int32[n],
    column_entry: int64[n], positions in the rows. Returns n.
    """
    count = len(column_starts) - 1
    for entry in range(starts[len(starts) - 1]):
        column_starts[candidates[entry] + 1] += 1
    for column in range(count):
        column_starts[column + 1] += column_starts[column]
    for row in range(len(starts) - 1):
        for entry in range(starts[row], starts[row + 1]):
            column = candidates[entry]
            place = column_starts[column]
            column_row[place] = row
            column_entry[place] = entry
            column_starts[column] = place + 1
    for column in range(count, 0, -1):
        column_starts[column] = column_starts[column - 1]
    column_starts[0] = 0
    return int(starts[len(starts) - 1])


@inlined
def _p_bad(quiet: Any, load: Any, kind: Any) -> Any:
    return max((1.0 - quiet) * kind / load, 1e-300)


@inlined
def _log_bad(quiet: Any, load: Any, kind: Any) -> Any:
    return log(_p_bad(quiet, load, kind))


@kernel
def gains_of_one_more(
    weight: F64,
    quiet: F64,
    load: F64,
    kind: F64,
    starts: I64,
    candidates: I32,
    one_less: F64,
    more_load: F64,
    more_kind: F64,
    factor: F64,
    gain: F64,
) -> int:
    """Add to `gain` how much better the positives are explained when one candidate joins the set.

    weight, quiet, load, kind: float64[positives], of the set so far. starts: int64[positives + 1]; per entry
    candidates:
    int32, one_less: 1 - detection, more_load, more_kind: float64. factor: float64[candidates] scratch, all 1 before and
    after. gain: float64[candidates]. Returns the positives that still matter (an explained one gains nothing).
    """
    open_positives = 0
    for row in range(len(weight)):
        before = _log_bad(quiet[row], load[row], kind[row])
        if before > -0.002:
            continue
        open_positives += 1
        now = _p_bad(quiet[row], load[row], kind[row])
        whole = weight[row] == 1.0 and now > 1e-100
        for entry in range(starts[row], starts[row + 1]):
            one = candidates[entry]
            then = _p_bad(quiet[row] * one_less[entry], load[row] + more_load[entry], kind[row] + more_kind[entry])
            # A logarithm takes longer than all the rest: of answers that count in full the product has one.
            if whole and then > 1e-100:
                factor[one] *= then / now
                if not 1e-100 < factor[one] < 1e100:
                    gain[one] += log(factor[one])
                    factor[one] = 1.0
            else:
                gain[one] += weight[row] * (log(then) - before)
    for one in range(len(gain)):
        if factor[one] != 1.0:
            gain[one] += log(factor[one])
            factor[one] = 1.0
    return open_positives


@kernel
def state_of_set(
    members: I64,
    column_starts: I64,
    column_row: I32,
    column_entry: I64,
    one_less: F64,
    more_load: F64,
    more_kind: F64,
    quiet: F64,
    load: F64,
    kind: F64,
) -> int:
    """Let the members of a set join: changes quiet, load, kind of the positives in place.

    members: int64[n], -1 = none. The rest as in score_sets. Returns how many joined.
    """
    joined = 0
    for position in range(len(members)):
        member = members[position]
        if member < 0:
            continue
        joined += 1
        for place in range(column_starts[member], column_starts[member + 1]):
            row = column_row[place]
            entry = column_entry[place]
            quiet[row] *= one_less[entry]
            load[row] += more_load[entry]
            kind[row] += more_kind[entry]
    return joined


@kernel
def score_sets(
    sets: I64,
    prior: F64,
    weight: F64,
    quiet: F64,
    load: F64,
    kind: F64,
    column_starts: I64,
    column_row: I32,
    column_entry: I64,
    one_less: F64,
    more_load: F64,
    more_kind: F64,
    now_quiet: F64,
    now_load: F64,
    now_kind: F64,
    seen: B,
    touched: I32,
    score: F64,
) -> int:
    """Write the log posterior of each set, that of the empty set being 0.

    sets: int64[n, members], -1 = none. prior: float64[candidates], prior and good answers. weight, quiet, load, kind:
    of the positives and the empty set. now_quiet, now_load, now_kind: float64[positives] scratch, seen: bool[positives]
    all False before and after, touched: int32[positives] scratch. score: float64[n]. Returns n.
    """
    for number in range(len(sets)):
        total = 0.0
        count = 0
        for position in range(sets.shape[1]):
            member = sets[number, position]
            if member < 0:
                continue
            total += prior[member]
            for place in range(column_starts[member], column_starts[member + 1]):
                row = column_row[place]
                entry = column_entry[place]
                if not seen[row]:
                    seen[row] = True
                    touched[count] = row
                    count += 1
                    now_quiet[row] = quiet[row]
                    now_load[row] = load[row]
                    now_kind[row] = kind[row]
                now_quiet[row] *= one_less[entry]
                now_load[row] += more_load[entry]
                now_kind[row] += more_kind[entry]
        for place in range(count):
            row = touched[place]
            seen[row] = False
            after = _log_bad(now_quiet[row], now_load[row], now_kind[row])
            total += weight[row] * (after - _log_bad(quiet[row], load[row], kind[row]))
        score[number] = total
    return len(sets)


@inlined
def _entropy(p: Any) -> Any:
    if p <= 0.0 or p >= 1.0:
        return 0.0
    return -(p * log(p) + (1.0 - p) * log(1.0 - p)) * 1.4426950408889634


@kernel
def predict(sets: I64, starts: I64, faults: I32, detection: F64, leak: F64, dense: F64, out: F64) -> int:
    """Write P(bad | set) of questions: out: float64[questions, sets].

    sets: int64[sets, members], -1 = none, of hot faults 0 .. hot - 1. starts: int64[questions + 1], faults: int32 hot
    faults, detection: float64, leak: float64[questions]. dense: float64[hot], all 0 before and after. Returns
    questions.
    """
    for question in range(len(leak)):
        for entry in range(starts[question], starts[question + 1]):
            dense[faults[entry]] = detection[entry]
        for number in range(len(sets)):
            quiet = 1.0 - leak[question]
            for position in range(sets.shape[1]):
                member = sets[number, position]
                if member >= 0:
                    quiet *= 1.0 - dense[member]
            out[question, number] = 1.0 - quiet
        for entry in range(starts[question], starts[question + 1]):
            dense[faults[entry]] = 0.0
    return len(leak)


@kernel
def information(bad: F64, branches: F64, class_of: I64, class_bad: F64, class_weight: F64, gain: F64) -> int:
    """Write the information in bits that questions give about the class of the set, averaged over branches.

    bad: float64[questions, sets], P(bad | set). branches: float64[branches, sets], weights; all together sum to 1.
    class_of: int64[sets], sets that need not be told apart share a class. class_bad, class_weight: float64[classes]
    scratch. gain: float64[questions]. Returns the number of questions.
    """
    gain[:] = 0.0
    for branch in range(len(branches)):
        mass = 0.0
        for one in range(len(class_weight)):
            class_weight[one] = 0.0
        for number in range(branches.shape[1]):
            class_weight[class_of[number]] += branches[branch, number]
            mass += branches[branch, number]
        if mass <= 1e-9:
            continue
        for question in range(len(bad)):
            mass_bad = 0.0
            for one in range(len(class_bad)):
                class_bad[one] = 0.0
            for number in range(branches.shape[1]):
                part = branches[branch, number] * bad[question, number]
                class_bad[class_of[number]] += part
                mass_bad += part
            inside = 0.0
            # Most classes do not see a question, or by the same fault: two entropies serve nearly all of them.
            p_last, p_other, h_last, h_other = 0.0, 0.0, 0.0, 0.0
            for one in range(len(class_bad)):
                if class_weight[one] > 1e-12:
                    p = class_bad[one] / class_weight[one]
                    if abs(p - p_last) > 1e-14:
                        p_last, p_other = p_other, p_last
                        h_last, h_other = h_other, h_last
                        if abs(p - p_last) > 1e-14:
                            p_last = p
                            h_last = _entropy(p)
                    inside += class_weight[one] * h_last
            gain[question] += mass * _entropy(mass_bad / mass) - inside
    for question in range(len(bad)):
        gain[question] = max(gain[question], 0.0)
    return len(bad)
