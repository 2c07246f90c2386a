"""Many datagrams per system call: recvmmsg(2) into memory that is laid out once.

Through ctypes, which lets go of the interpreter's lock during a call and needs no symbol bound into compiled code.
"""

import ctypes
import errno
import mmap
import os
import sys
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.kernels import receive

BATCH_DATAGRAMS: Final = 512
_MSG_DONTWAIT: Final = 0x40
_IOVECS: Final = 2
_HEADER = np.dtype(
    {
        "names": ["name", "name_octets", "parts", "parts_count", "flags", "length"],
        "formats": ["<u8", "<i4", "<u8", "<u8", "<i4", "<i4"],
        "offsets": [0, 8, 16, 24, 48, 56],
        "itemsize": receive.HEADER_WORDS * 4,
    }
)
"""struct mmsghdr of 64-bit Linux; what is left out stays 0."""
_NOTHING_THERE: Final = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR})

_libc = ctypes.CDLL(None, use_errno=True)  # CDLL, not PyDLL: the interpreter's lock is free during a call
_recvmmsg = _libc.recvmmsg
_recvmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p)
_recvmmsg.restype = ctypes.c_int


class Batch:
    """Room for 512 datagrams of up to 65,536 octets each, and the system call that fills it.

    2,048 octets of each lie close together: 1 MiB that stays in the processor's cache. The rest of longer ones has
    32 MiB of address space, of which memory is taken when such datagrams come.
    """

    def __init__(self) -> None:
        if sys.maxsize < 1 << 32:
            raise OSError(errno.ENOSYS, "btimd receives on 64-bit machines only")
        count = BATCH_DATAGRAMS
        self.hot: npt.NDArray[np.uint8] = np.zeros((count, receive.HOT_OCTETS), np.uint8)
        # Anonymous pages, not np.empty: huge pages would take all 32 MiB at the first jumbo datagram.
        self._pages = mmap.mmap(-1, count * receive.JUMBO_OCTETS)
        self.jumbo: npt.NDArray[np.uint8] = np.frombuffer(self._pages, np.uint8).reshape(count, receive.JUMBO_OCTETS)
        self.names: npt.NDArray[np.uint8] = np.zeros((count, receive.NAME_OCTETS), np.uint8)
        self._parts = np.zeros((count, _IOVECS, 2), np.uint64)
        self._parts[:, 0, 0] = _addresses(self.hot)
        self._parts[:, 0, 1] = receive.HOT_OCTETS
        self._parts[:, 1, 0] = _addresses(self.jumbo)
        self._parts[:, 1, 1] = receive.JUMBO_OCTETS
        headers = np.zeros(count, _HEADER)
        headers["name"] = _addresses(self.names)
        headers["name_octets"] = receive.NAME_OCTETS  # the kernel writes what it used: enough for every later one
        headers["parts"] = _addresses(self._parts)
        headers["parts_count"] = _IOVECS
        self.headers: npt.NDArray[np.int32] = headers.view(np.int32).reshape(count, receive.HEADER_WORDS)
        self._at = headers.ctypes.data

    def receive(self, descriptor: int) -> int:
        """Fill rows 0 to n with the datagrams that wait at a socket, without waiting for more; return n.

        Raises OSError for an error of the socket.
        """
        count: int = _recvmmsg(descriptor, self._at, BATCH_DATAGRAMS, _MSG_DONTWAIT, None)
        if count < 0:
            number = ctypes.get_errno()
            if number in _NOTHING_THERE:
                return 0
            raise OSError(number, os.strerror(number))
        return count


def _addresses(rows: npt.NDArray[np.generic]) -> npt.NDArray[np.uint64]:
    """Return where in memory each row of an array begins."""
    return np.uint64(rows.ctypes.data) + np.arange(len(rows), dtype=np.uint64) * np.uint64(rows.strides[0])
