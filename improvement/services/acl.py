"""One right for one account on one folder: pass through it, without listing it (POSIX ACL).

Used where Pawl runs as root below a closed folder such as /root: the services' account must reach
its data, and nobody else should gain anything. Layout of the attribute: linux/posix_acl_xattr.h.
"""

from __future__ import annotations

import os
import stat
import struct
from pathlib import Path

ATTRIBUTE = "system.posix_acl_access"
VERSION, NOBODY = 2, 0xFFFFFFFF
USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
SEARCH = 1
Entry = tuple[int, int, int]  # tag, permissions, id


def let_pass(folder: Path, uid: int) -> None:
    """Give `uid` the right to pass through `folder`; by the mode's last bit where the file system
    keeps no such lists."""
    try:
        entries = _with_user(_read(folder), uid)
        packed = b"".join(struct.pack("<HHI", *entry) for entry in sorted(entries))
        os.setxattr(folder, ATTRIBUTE, struct.pack("<I", VERSION) + packed)
    except OSError:
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IXOTH)


def _read(folder: Path) -> list[Entry]:
    """The list of `folder`, or the one that its mode stands for."""
    if ATTRIBUTE in os.listxattr(folder):
        return list(struct.iter_unpack("<HHI", os.getxattr(folder, ATTRIBUTE)[4:]))
    mode = folder.stat().st_mode
    return [
        (USER_OBJ, mode >> 6 & 7, NOBODY),
        (GROUP_OBJ, mode >> 3 & 7, NOBODY),
        (OTHER, mode & 7, NOBODY),
    ]


def _with_user(entries: list[Entry], uid: int) -> list[Entry]:
    kept = [e for e in entries if e[0] != MASK and (e[0], e[2]) != (USER, uid)]
    kept.append((USER, SEARCH, uid))
    shared = (permissions for tag, permissions, _ in kept if tag in (USER, GROUP_OBJ, GROUP))
    mask = 0
    for permissions in shared:
        mask |= permissions
    return [*kept, (MASK, mask, NOBODY)]
