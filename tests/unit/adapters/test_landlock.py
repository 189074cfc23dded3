"""Landlock without seccomp before it, which would hide its gaps."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from docstore.adapters.processors import landlock
from unit.adapters.jailing import REQUIRED

SCRIPT = """
import errno, json, os, socket, sys
from docstore.adapters.processors import landlock
from docstore.adapters.processors.kernel import prctl

abi, address = int(sys.argv[1]), "\\0" + sys.argv[2]
here = os.open(sys.argv[3], os.O_RDONLY)
tcp, datagrams = socket.socket(), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

def told(attempt):
    try:
        attempt()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"

ATTEMPTS = {
    "read": lambda: open(sys.argv[3]).close(),
    "list": lambda: os.listdir("/"),
    "write": lambda: open(sys.argv[3] + ".new", "w").close(),
    "delete": lambda: os.unlink(sys.argv[3] + ".new"),
    "bind": lambda: tcp.bind(("127.0.0.1", 0)),
    "signal": lambda: os.kill(os.getppid(), 0),
    "abstract socket": lambda: datagrams.sendto(b"x", address),
    "what was open": lambda: os.pread(here, 1, 0),
}
if abi:
    prctl(38, 1)
    landlock.deny_all(abi)
print(json.dumps({name: told(attempt) for name, attempt in ATTEMPTS.items()}))
"""
FREE = dict.fromkeys(
    ("read", "list", "write", "delete", "bind", "signal", "abstract socket", "what was open"),
    "done",
)
SINCE = {"bind": 4, "signal": 6, "abstract socket": 6}  # the others since the first


def outcomes(abi: int, folder: Path) -> Mapping[str, str]:
    file = folder / "file"
    file.write_text("x")
    name = f"docstore-{os.getpid()}"
    command = [sys.executable, "-c", SCRIPT, str(abi), name, str(file)]
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}")
        done = subprocess.run(
            command, env=environment, check=True, stdout=subprocess.PIPE, timeout=60
        )
    found: Mapping[str, str] = json.loads(done.stdout)
    return found


def test_without_it_all_is_possible(tmp_path: Path) -> None:
    assert outcomes(0, tmp_path) == FREE


@pytest.mark.parametrize("wanted", range(1, landlock.COMPLETE + 2))
def test_each_version_denies_what_it_knows_of(tmp_path: Path, wanted: int) -> None:
    """A newer kernel speaks all older versions: what it is not asked for stays possible."""
    if landlock.abi() < wanted:
        (pytest.fail if REQUIRED else pytest.skip)(f"this kernel speaks ABI {landlock.abi()}")
    open_still = {name for name, since in SINCE.items() if since > wanted} | {"what was open"}
    found = outcomes(wanted, tmp_path)
    assert {name: found[name] for name in open_still} == {name: FREE[name] for name in open_still}
    denied = {found[name] for name in FREE.keys() - open_still - {"delete"}}
    assert denied <= {"EACCES", "EPERM"}
    assert found["delete"] in {"EACCES", "ENOENT"}  # nothing was written
    assert not (tmp_path / "file.new").exists()
