import numpy as np

from btimd.kernels import keytable


def test_keys_are_found_where_they_were_put_and_nowhere_else() -> None:
    table = np.full((64, 2), -1, np.int64)
    keys = [0, 1, 2**31, 2**31 - 1, 2**53, 2**61 + 5, *range(1000, 1020)]
    for value, key in enumerate(keys):
        table[keytable.find_key(table, key)] = key, value
    assert [int(table[keytable.find_key(table, key), 1]) for key in keys] == list(range(len(keys)))
    assert table[keytable.find_key(table, 77), 0] == -1


def test_domains_of_addresses_that_differ_in_one_half_are_apart() -> None:
    table = np.full((16, 4), -1, np.int64)
    keys = [(0, 1, 5), (1, 0, 5), (0, -1, 5), (0, 1, 9 << 32)]
    for row, key in enumerate(keys):
        table[keytable.find_domain(table, *key)] = *key, row
    assert [int(table[keytable.find_domain(table, *key), 3]) for key in keys] == [0, 1, 2, 3]
