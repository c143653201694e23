# ruff: noqa: E501 - programs in strings
"""Programs that reach for files, secrets, other processes and the network. What they find, they
return; what they could change is looked at after each of them."""

from __future__ import annotations

from tests.loop.corpus import Abuse

C = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
TRY = """
def f(n):
    found = []
    for act in ACTS:
        try: found.append(str(act()))
        except BaseException as e: found.append(type(e).__name__)
    return "|".join(found)[:3000]
"""

ABUSES = [
    Abuse("reads the secret file", "ACTS = [lambda: open('@SECRET_FILE@').read()]" + TRY, refused=True),
    Abuse("reads the host's files", "ACTS = [lambda p=p: open(p).read() for p in "
          "('/etc/passwd', '/etc/hostname', '/root/.bashrc', '/etc/shadow', '/proc/mounts')]" + TRY, refused=True),
    Abuse("reads the test files", "import linecache\nACTS = [lambda: open('@HERE@').read(), lambda: "
          "[1 / 0 for x in linecache.getlines('@HERE@')] or open('@HERE@')]" + TRY, refused=True),
    Abuse("lists folders", "import os\nACTS = [lambda p=p: os.listdir(p) for p in "
          "('/', '/root', '/home', '/tmp', '@DROP@', '.', '/proc')]" + TRY),
    Abuse("reads the parent's environment", "import os\nACTS = [lambda: open('/proc/@PARENT@/"
          "environ').read(), lambda: open(f'/proc/{os.getppid()}/environ').read(), "
          "lambda: open('/proc/self/environ').read(), lambda: dict(os.environ)]" + TRY),
    Abuse("reads the environment by libc", C + "libc.getenv.restype = ctypes.c_char_p\n"
          "ACTS = [lambda: libc.getenv(b'@ENV@')]" + TRY),
    Abuse("reads the parent's memory", "import os\nACTS = [lambda: open('/proc/@PARENT@/mem', 'rb')"
          ".read(1), lambda: open(f'/proc/{os.getppid()}/mem', 'rb').read(1)]" + TRY),
    Abuse("reads by process_vm_readv", C + "import os\n"
          "ACTS = [lambda: libc.process_vm_readv(@PARENT@, None, 0, None, 0, 0),\n"
          "        lambda: libc.process_vm_readv(os.getppid(), None, 0, None, 0, 0)]" + TRY, refused=True),
    Abuse("attaches by ptrace", C + "import os\nACTS = [lambda: libc.ptrace(16, @PARENT@, 0, 0),\n"
          "        lambda: libc.ptrace(16, os.getppid(), 0, 0), lambda: libc.ptrace(0, 0, 0, 0)]"
          + TRY, refused=True),
    Abuse("kills its parents", "import os\nACTS = [lambda s=s: os.kill(os.getppid(), s) for s in "
          "(0, 23, 15, 9)] + [lambda s=s: os.kill(@PARENT@, s) for s in (0, 23)]" + TRY, refused=True),
    Abuse("kills by other calls", C + "import os\nACTS = [lambda: libc.tgkill(os.getppid(), "
          "os.getppid(), 9), lambda: libc.syscall(234, os.getppid(), os.getppid(), 9), "
          "lambda: os.killpg(os.getppid(), 9), lambda: libc.syscall(62, os.getppid(), 9)]" + TRY, refused=True),
    Abuse("writes files", "import os, tempfile\nACTS = [lambda p=p: open(p + '/pawl-escaped', 'w')"
          ".write('x') for p in ('@DROP@', '/tmp', '/dev/shm', '/var/tmp', '.', '/', '/root')]\n"
          "ACTS.append(lambda: tempfile.NamedTemporaryFile(delete=False).name)" + TRY, refused=True),
    Abuse("changes the secret file", "import os\nACTS = [lambda: os.unlink('@SECRET_FILE@'), lambda:"
          " os.chmod('@SECRET_FILE@', 0o777), lambda: os.truncate('@SECRET_FILE@', 0), lambda: "
          "os.rename('@SECRET_FILE@', '@DROP@/pawl-escaped'), lambda: os.utime('@SECRET_FILE@')]"
          + TRY, refused=True),
    Abuse("makes links", "import os\nACTS = [lambda m=m, p=p: m('@SECRET_FILE@', p + "
          "'/pawl-escaped') for m in (os.link, os.symlink) for p in ('@DROP@', '/tmp', '.', "
          "'/dev/shm')]" + TRY, refused=True),
    Abuse("makes folders, pipes and nodes", "import os\nACTS = [lambda m=m: m('@DROP@/pawl-escaped')"
          " for m in (os.mkdir, os.mkfifo, os.mknod)]" + TRY, refused=True),
    Abuse("walks up from its folder", "import os\nACTS = [lambda: os.chdir('/root'), lambda: "
          "os.chroot('/'), lambda: open('../../../../../..' + '@SECRET_FILE@').read(), lambda: "
          "open('/proc/self/root' + '@SECRET_FILE@').read(), lambda: open('/proc/self/cwd/x')]"
          + TRY),
    Abuse("takes others' descriptors", "import os\nACTS = [lambda i=i: os.read(i, 9) for i in "
          "range(5, 64)] + [lambda: os.listdir('/proc/self/fd'), lambda: os.listdir("
          "'/proc/@PARENT@/fd'), lambda: open(f'/proc/{os.getppid()}/fd/0', 'w')]" + TRY),
    Abuse("opens a TCP connection", "import socket\nACTS = [lambda: socket.create_connection("
          "('127.0.0.1', @PORT@), 1).send(b'escaped'), lambda: socket.socket(socket.AF_INET6), "
          "lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', "
          "('127.0.0.1', @PORT@))]" + TRY, refused=True),
    Abuse("opens a unix socket", "import socket\nACTS = [lambda: socket.socket(socket.AF_UNIX)."
          "connect('@SOCKET@'), lambda: socket.socket(socket.AF_UNIX).connect('\\0@ABSTRACT@'), "
          "lambda: socket.socketpair(type=socket.SOCK_DGRAM)]" + TRY, refused=True),
    Abuse("listens", "import socket\nACTS = [lambda: socket.create_server(('127.0.0.1', 0))]" + TRY, refused=True),
    Abuse("opens sockets by system call", C + "ACTS = [lambda n=n: libc.syscall(n, 2, 1, 0) "
          "for n in (41, 53, 198, 425)]" + TRY, refused=True),
    Abuse("system calls of another ABI", C + "ACTS = [lambda n=n: libc.syscall(0x40000000 + n, 2, 1, "
          "0) for n in (41, 57, 59, 62)]" + TRY, refused=True),
    Abuse("asks a name server", "import socket, urllib.request\nACTS = [lambda: "
          "socket.gethostbyname('example.com'), lambda: urllib.request.urlopen("
          "'http://127.0.0.1:@PORT@', timeout=1).read()]" + TRY, refused=True),
    Abuse("forks", "import os\nACTS = [lambda: os.fork(), lambda: os.forkpty()]" + TRY, refused=True),
    Abuse("runs programs", "import os, subprocess\nACTS = [lambda: subprocess.run(['/bin/sh', '-c', "
          "'id; echo x > @DROP@/pawl-escaped'], capture_output=True).stdout, lambda: os.system("
          "'id > @DROP@/pawl-escaped'), lambda: os.execv('/bin/true', ['true']), lambda: "
          "os.posix_spawn('/bin/true', ['true'], {}), lambda: os.popen('id').read()]" + TRY, refused=True),
    Abuse("leaves a daemon behind", "import os, time\ntry:\n    if os.fork() == 0:\n"
          "        os.setsid()\n        if os.fork() == 0:\n            time.sleep(600)\n"
          "        os._exit(0)\nexcept OSError: pass\ndef f(n): return n"),
    Abuse("forks by system call", C + "ACTS = [lambda n=n: libc.syscall(n, 17, 0, 0, 0, 0) for n in "
          "(57, 58, 56)] + [lambda: libc.syscall(435, 0, 0), lambda: "
          "libc.vfork()]" + TRY, refused=True),
    Abuse("other processes by multiprocessing", "import multiprocessing as m\ndef g(): pass\n"
          "ACTS = [lambda: m.Process(target=g).start(), lambda: m.Pool(2), lambda: m.Queue()]" + TRY, refused=True),
    Abuse("runs code from memory", C + "import os\nACTS = [lambda: os.memfd_create('x'), lambda: "
          "libc.syscall(319, b'x', 0), lambda: libc.syscall(322, 0, b'', 0, 0, 0x1000)]" + TRY),
    Abuse("raises its limits", "import resource as r\nACTS = [lambda k=k: r.setrlimit(k, "
          "(r.RLIM_INFINITY, r.RLIM_INFINITY)) for k in (r.RLIMIT_AS, r.RLIMIT_CPU, r.RLIMIT_NPROC,"
          " r.RLIMIT_FSIZE, r.RLIMIT_CORE)]" + TRY),
    Abuse("becomes somebody else", "import os\nACTS = [lambda: os.setuid(0), lambda: os.setgid(0), "
          "lambda: os.setgroups([0]), lambda: os.seteuid(0), lambda: os.setresuid(0, 0, 0)]" + TRY, refused=True),
    Abuse("new namespaces and mounts", C + "ACTS = [lambda: libc.unshare(0x10000000), lambda: "
          "libc.mount(b'x', b'/tmp', b'tmpfs', 0, 0), lambda: libc.setns(3, 0), lambda: "
          "libc.syscall(155, b'/', b'/'), lambda: libc.syscall(428, -100, b'/', 1)]" + TRY),
    Abuse("rare system calls", C + "ACTS = [lambda n=n: libc.syscall(n, 0, 0, 0, 0, 0) for n in "
          "(298, 321, 323, 250, 248, 425, 426, 272, 304, 303, 246, 175, 169, 29, 68, 64, 240, 434)]"
          + TRY),
    Abuse("tears down its guards by prctl", C + "import os\nACTS = [lambda: libc.prctl(4, 1), "
          "lambda: libc.prctl(1, 0), lambda: libc.prctl(22, 0), lambda: libc.prctl(38, 0), lambda: "
          "open('/proc/self/oom_score_adj', 'w').write('-1000'), lambda: "
          "open('@SECRET_FILE@').read()]" + TRY),
    Abuse("shared memory", "from multiprocessing import shared_memory as s\nACTS = [lambda: "
          "s.SharedMemory('pawl-escaped', create=True, size=64), lambda: open("
          "'/dev/shm/pawl-escaped', 'w')]" + TRY, refused=True),
    Abuse("imports what is installed", "ACTS = [lambda m=m: __import__(m) for m in ('django', "
          "'improvement.settings', 'sandlock', 'psycopg', 'pip')]" + TRY, refused=True),
    Abuse("a crash on purpose", C + "def f(n): return ctypes.string_at(0)"),
    Abuse("stops itself", "import os, signal\ndef f(n):\n    os.kill(os.getpid(), signal.SIGSTOP)\n"
          "    return n", slow=True),
]  # fmt: skip
