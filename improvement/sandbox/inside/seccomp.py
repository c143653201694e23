"""A seccomp filter as BPF, installed through ctypes: the program's own last wall.

Refused calls answer EPERM (opening a file EACCES; clone3 ENOSYS, so that the C library falls back
to clone). A call of another machine's table ends the process.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

from improvement.sandbox.inside.syscalls import MACHINES

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE = 0, 4  # offsets in struct seccomp_data
KILL_PROCESS, REFUSE, ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
X32 = 0x40000000
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2

CLONE_THREAD = 0x10000
WRITING = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC
FCNTL = (0, 1, 2, 3, 4, 1030)  # duplicate, flags. Not F_SETOWN: it sends signals to others
# is it a terminal, bytes waiting, non-blocking, close on exec
IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
# An event loop (asyncio) wakes itself through a pair of connected streams that lead nowhere else. A
# pair of datagram sockets is refused: it could be sent to an address.
AF_UNIX, STREAMS = 1, (1, 0x801, 0x80001, 0x80801)

Instruction = tuple[int, int, int, int]


class Unsupported(RuntimeError):
    """There is no table of system calls for this machine."""


def _argument(index: int) -> int:
    """Offset of the low half of an argument: all that is looked at are C ints."""
    return 16 + 8 * index


def _give(value: int) -> Instruction:
    return (RETURN, 0, 0, value)


def _looked_at(number: int, body: list[Instruction]) -> list[Instruction]:
    return [] if number < 0 else [(JUMP_EQUAL, 0, len(body), number), *body]


def _one_of(index: int, values: tuple[int, ...]) -> list[Instruction]:
    """Allow when the argument is one of the values."""
    count = len(values)
    tests = [(JUMP_EQUAL, count - at, 0, value) for at, value in enumerate(values)]
    return [(LOAD, 0, 0, _argument(index)), *tests, _give(REFUSE | errno.EPERM), _give(ALLOW)]


def _pair_of_streams() -> list[Instruction]:
    unix = [(LOAD, 0, 0, _argument(0)), (JUMP_EQUAL, 1, 0, AF_UNIX)]
    return [*unix, _give(REFUSE | errno.EPERM), *_one_of(1, STREAMS)]


def _if_bits(index: int, bits: int, then: int, otherwise: int) -> list[Instruction]:
    load = (LOAD, 0, 0, _argument(index))
    return [load, (JUMP_ANY_BIT, 0, 1, bits), _give(then), _give(otherwise)]


def assemble(machine: str, files: bool) -> list[Instruction]:
    """The filter for a machine, with or without opening files to read them. Unsupported where
    the machine's calls are not known."""
    if machine not in MACHINES:
        raise Unsupported(f"system calls of {machine} are not known")
    architecture, allowed, special = MACHINES[machine]
    found: list[Instruction] = [
        (LOAD, 0, 0, ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, architecture),
        _give(KILL_PROCESS),
        (LOAD, 0, 0, NUMBER),
    ]
    if machine == "x86_64":
        found += [(JUMP_AT_LEAST, 0, 1, X32), _give(REFUSE | errno.EPERM)]
    for number in allowed.values():
        found += [(JUMP_EQUAL, 0, 1, number), _give(ALLOW)]
    refused = REFUSE | errno.EACCES
    reading = ALLOW if files else refused
    found += _looked_at(special["open"], _if_bits(1, WRITING, refused, reading))
    found += _looked_at(special["openat"], _if_bits(2, WRITING, refused, reading))
    found += _looked_at(special["clone"], _if_bits(0, CLONE_THREAD, ALLOW, REFUSE | errno.EPERM))
    found += _looked_at(special["clone3"], [_give(REFUSE | errno.ENOSYS)])
    found += _looked_at(special["fcntl"], _one_of(1, FCNTL))
    found += _looked_at(special["ioctl"], _one_of(1, IOCTL))
    found += _looked_at(special["prlimit64"], _one_of(0, (0,)))
    found += _looked_at(special["socketpair"], _pair_of_streams())
    return [*found, _give(REFUSE | errno.EPERM)]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


class Filter:
    """Assembled once, installed in every program. Needs no privilege."""

    def __init__(self, files: bool) -> None:
        found = assemble(platform.machine(), files)
        code = b"".join(struct.pack("=HBBI", *one) for one in found)
        self._code = ctypes.create_string_buffer(code, len(code))
        self._program = _Program(len(code) // 8, ctypes.addressof(self._code))
        self._libc = ctypes.CDLL(None, use_errno=True)

    def prctl(self, *values: int) -> None:
        """prctl(2) with five longs. OSError when it is refused."""
        longs = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[1:5]]
        if self._libc.prctl(values[0], *longs) != 0:
            raise OSError(ctypes.get_errno(), f"prctl {values[0]} is refused")

    def install(self) -> None:
        self.prctl(PR_SET_NO_NEW_PRIVS, 1)
        self.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(self._program))
