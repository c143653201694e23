"""The system account that the embedded services run as where Pawl itself runs as root.

PostgreSQL refuses to run as root. The account owns nothing but the services' folders; it is given
the right to pass through (not to list) the folders above them.
"""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from pathlib import Path

NAME = "pawl-services"


class ServiceError(RuntimeError):
    """An embedded service can't run. The message names the service and the remedy."""


def service_account() -> pwd.struct_passwd | None:
    """The account to start services as: None (the present user) unless this user is root."""
    if os.geteuid() != 0:
        return None
    for _ in range(2):
        try:
            return pwd.getpwnam(NAME)
        except KeyError:
            _add_account()
    raise ServiceError(
        f"Could not add the system account {NAME!r} that PostgreSQL runs as (it refuses to run "
        "as root). Run Pawl as an ordinary user, or set DATABASE_URL and REDIS_URL."
    )


def _add_account() -> None:
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
    subprocess.run(command, check=False, capture_output=True)


def own_folder(path: Path, account: pwd.struct_passwd | None) -> None:
    """Make `path` a folder of mode 0700 that belongs to `account`."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.chmod(0o700)
    if account is not None:
        os.chown(path, account.pw_uid, account.pw_gid)
        let_through(path, account)


def let_through(path: Path, account: pwd.struct_passwd | None) -> None:
    """Let `account` pass through the folders above `path` where it could not."""
    if account is None:
        return
    for folder in path.resolve().parents:
        found = folder.stat()
        if found.st_uid == account.pw_uid or found.st_mode & stat.S_IXOTH:
            continue
        folder.chmod(stat.S_IMODE(found.st_mode) | stat.S_IXOTH)
