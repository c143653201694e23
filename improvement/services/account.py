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

from improvement.services.acl import let_pass
from improvement.services.process import as_account

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
    owners = {os.geteuid(), account.pw_uid if account else os.geteuid()}
    if path.is_symlink() or path.stat().st_uid not in owners:
        raise ServiceError(f"{path} belongs to somebody else. Remove it or set PAWL_HOME anew.")
    path.chmod(0o700)
    if account is not None:
        os.chown(path, account.pw_uid, account.pw_gid)
        let_through(path, account)


def let_through(path: Path, account: pwd.struct_passwd | None) -> None:
    """Let `account` pass through the folders above `path` where it can't."""
    if account is None:
        return
    for folder in reversed(path.resolve().parents):
        if not _passes(folder, account):
            let_pass(folder, account.pw_uid)


def _passes(folder: Path, account: pwd.struct_passwd) -> bool:
    if folder.stat().st_mode & stat.S_IXOTH:
        return True
    tried = subprocess.run(["test", "-x", str(folder)], check=False, **as_account(account))
    return tried.returncode == 0
