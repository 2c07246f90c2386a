"""Capture filters: an expression of tcpdump's language -> a program that the kernel runs on every frame of a socket.

libpcap compiles it (libpcap0.8 of Debian), loaded when there is an expression and not before. The kernel takes the
outermost VLAN tag off a frame before a program sees it: `tcp port 443` therefore holds for tagged frames too, and
`vlan`, which looks for the tag in the frame, could never hold: it is refused. MPLS labels stay in the frame.
"""

import ctypes
import re
import socket
import struct
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.kernels.headers import LINK_ETHERNET

Program = npt.NDArray[np.void]
"""Instructions in the layout of struct sock_filter (linux/filter.h)."""
INSTRUCTION: Final = np.dtype([("code", "u2"), ("jt", "u1"), ("jf", "u1"), ("k", "u4")])
MAX_EXPRESSION: Final = 4096
MAX_INSTRUCTIONS: Final = 4096  # BPF_MAXINSNS

_LIBRARY: Final = "libpcap.so.0.8"
_DLT_ETHERNET, _DLT_RAW = 1, 12
_NETMASK_UNKNOWN: Final = 0xFFFF_FFFF
_SO_ATTACH_FILTER: Final = 26
_LOAD_WORD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_PACKET_TYPE: Final = 0xFFFF_F000 + 4  # SKF_AD_OFF + SKF_AD_PKTTYPE
_OUTGOING: Final = 4  # PACKET_OUTGOING
_TAG_WORD: Final = re.compile(r"(?<![\w.-])vlan(?![\w.-])")


class _Compiled(ctypes.Structure):
    """struct bpf_program (pcap/bpf.h)."""

    _fields_ = (("length", ctypes.c_uint), ("instructions", ctypes.c_void_p))


def compile_filter(expression: str, snap_octets: int, *, link: int = LINK_ETHERNET, outgoing: bool = True) -> Program:
    """Return the program that keeps up to `snap_octets` of each frame the expression holds for, of all if it is "".

    link: headers.LINK_* of the interface. outgoing: False drops what this machine sends. Raises ValueError that says
    what is wrong with the expression, or what to install.
    """
    steps = _compile(expression, snap_octets, link) if expression.strip() else _program((_RETURN, 0, 0, snap_octets))
    if not outgoing:
        not_sent_here = _program(
            (_LOAD_WORD, 0, 0, _PACKET_TYPE), (_JUMP_IF_EQUAL, 0, 1, _OUTGOING), (_RETURN, 0, 0, 0)
        )
        steps = np.concatenate([not_sent_here, steps])
    if len(steps) > MAX_INSTRUCTIONS:
        raise ValueError(f"the filter needs {len(steps)} instructions, the kernel takes {MAX_INSTRUCTIONS}; shorten it")
    return steps


def nothing() -> Program:
    """Return the program that keeps no frame."""
    return _program((_RETURN, 0, 0, 0))


def attach(receiver: socket.socket, program: Program) -> None:
    """Let the kernel run the program on every frame for a socket, instead of the one before; raises OSError."""
    steps = np.ascontiguousarray(program)
    receiver.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(steps), steps.ctypes.data))


def _program(*steps: tuple[int, int, int, int]) -> Program:
    return np.array(list(steps), INSTRUCTION)


def _compile(expression: str, snap_octets: int, link: int) -> Program:
    if len(expression) > MAX_EXPRESSION or not expression.isprintable():
        raise ValueError(f"a filter is one line of up to {MAX_EXPRESSION} printable characters")
    if _TAG_WORD.search(expression):
        raise ValueError(
            "'vlan' cannot be used: the kernel takes the outermost VLAN tag off before the filter runs; "
            "leave it out: the rest of the filter holds for tagged frames too"
        )
    library = _load()
    handle = library.pcap_open_dead(_DLT_ETHERNET if link == LINK_ETHERNET else _DLT_RAW, snap_octets)
    if not handle:
        raise ValueError("libpcap has no memory for a filter")
    compiled = _Compiled()
    try:
        if library.pcap_compile(handle, ctypes.byref(compiled), expression.encode(), 1, _NETMASK_UNKNOWN) != 0:
            message = library.pcap_geterr(handle).decode(errors="replace")
            raise ValueError(f"libpcap refuses the filter: {message}")
        try:
            octets = ctypes.string_at(compiled.instructions, compiled.length * INSTRUCTION.itemsize)
        finally:
            library.pcap_freecode(ctypes.byref(compiled))
    finally:
        library.pcap_close(handle)
    return np.frombuffer(octets, INSTRUCTION)


def _load() -> Any:
    """Return libpcap with the types of what is called; raises ValueError where it is not installed."""
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError as error:
        raise ValueError(f"a filter needs {_LIBRARY}, which this machine lacks: apt-get install libpcap0.8") from error
    library.pcap_open_dead.restype = ctypes.c_void_p
    library.pcap_open_dead.argtypes = [ctypes.c_int, ctypes.c_int]
    library.pcap_compile.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_uint32]
    library.pcap_geterr.restype = ctypes.c_char_p
    library.pcap_geterr.argtypes = [ctypes.c_void_p]
    library.pcap_freecode.restype = None
    library.pcap_freecode.argtypes = [ctypes.c_void_p]
    library.pcap_close.restype = None
    library.pcap_close.argtypes = [ctypes.c_void_p]
    return library
