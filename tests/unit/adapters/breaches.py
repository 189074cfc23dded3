"""What a parser that was taken over would try: each really tried, by the name in the file."""

import ctypes
import errno
import os
import platform
import resource
import signal
import socket
import subprocess
import threading
from pathlib import Path
from typing import BinaryIO

from docstore.application.ports.processor import Findings, Limits, Subject
from unit.adapters.probes import MEBIBYTE, Probe

DONE = "done"
_CLONE3 = 435
_TGKILL = {"x86_64": 234, "aarch64": 131}
_X32_GETPID = 0x40000000 + 39

_libc = ctypes.CDLL(None, use_errno=True)


class Breach(Probe):
    limits = Limits(seconds=30.0, memory=256 * MEBIBYTE)

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        attempt = globals()[body.read().decode()]
        try:
            attempt()
        except OSError as error:
            return Findings(facts={"outcome": errno.errorcode[error.errno or 0]})
        return Findings(facts={"outcome": DONE})


def _checked(answer: int) -> None:
    if answer == -1:
        raise OSError(ctypes.get_errno(), "refused")


def read_a_file() -> None:
    assert b"root" in Path("/etc/passwd").read_bytes()


def read_the_parents_environment() -> None:
    Path(f"/proc/{os.getppid()}/environ").read_bytes()


def read_the_parents_memory() -> None:
    Path(f"/proc/{os.getppid()}/mem").open("rb").close()


def open_its_own_descriptor_again() -> None:
    os.close(os.open("/proc/self/fd/4", os.O_RDWR))


def list_a_folder() -> None:
    assert os.listdir("/")


def look_at_a_file() -> None:
    os.stat("/etc/passwd")


def write_a_file() -> None:
    path = Path(os.environ["TMPDIR"], "written")
    path.write_bytes(b"x")
    path.unlink()


def make_a_file_in_memory() -> None:
    os.close(os.memfd_create("x"))


def listen_on_tcp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
        tcp.bind(("127.0.0.1", 0))


def send_by_udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.sendto(b"x", ("127.0.0.1", 9))


def open_a_unix_socket() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as unix:
        unix.bind(f"\0docstore-{os.getpid()}")


def send_to_another_from_a_pair() -> None:
    """A pair may be had, for threads to wake each other; it must lead nowhere else."""
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with left, right:
        left.sendto(b"x", "\0docstore-nobody")


def fork() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def fork_by_clone3() -> None:
    """With no arguments: who gets through is told that they are invalid."""
    _checked(_libc.syscall(_CLONE3, None, 0))


def run_a_program() -> None:
    subprocess.run(["/bin/true"], check=True, close_fds=False)


def become_a_program() -> None:
    os.execv("/bin/true", ["true"])


def signal_the_parent() -> None:
    os.kill(os.getppid(), 0)


def signal_the_parents_thread() -> None:
    number = _TGKILL[platform.machine()]
    _checked(_libc.syscall(number, os.getppid(), os.getppid(), 0))


def signal_everybody() -> None:
    os.kill(-1, 0)


def signal_the_parent_by_descriptor() -> None:
    with os.fdopen(os.pidfd_open(os.getppid())) as parent:
        signal.pidfd_send_signal(parent.fileno(), 0)


def be_traced() -> None:
    _checked(_libc.ptrace(0, 0, 0, 0))


def trace_the_parent() -> None:
    _checked(_libc.ptrace(16, os.getppid(), 0, 0))


def raise_a_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (hard, hard))
    except ValueError as error:  # as Python calls EPERM here
        raise PermissionError(errno.EPERM, str(error)) from error


def outlive_the_parent() -> None:
    _checked(_libc.prctl(1, 0, 0, 0, 0))


def be_dumpable() -> None:
    _checked(_libc.prctl(4, 1, 0, 0, 0))


def call_by_another_table() -> None:
    """x32's getpid, which a table of x86_64's calls does not hold."""
    _checked(_libc.syscall(_X32_GETPID))


def start_a_thread() -> None:
    seen: list[int] = []
    thread = threading.Thread(target=lambda: seen.append(threading.get_native_id()))
    thread.start()
    thread.join()
    assert seen != [os.getpid()]


def wake_a_thread_by_a_pair() -> None:
    left, right = socket.socketpair()
    with left, right:
        os.write(left.fileno(), b"x")
        assert os.read(right.fileno(), 1) == b"x"


def decode_a_rare_encoding() -> None:
    assert b"\xa1".decode("tis_620") == "ก"
    assert "\u3042".encode("iso2022_jp_ext")
