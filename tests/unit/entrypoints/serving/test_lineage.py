import os
import signal
import subprocess
import sys

import pytest

BOUND = """
import os, signal, sys
from docstore.entrypoints.serving.lineage import ParentGone, end_with
try:
    end_with(int(sys.argv[1]), signal.SIGTERM)
except ParentGone:
    sys.exit(9)
print("bound", flush=True)
signal.pause()
"""
PARENT = f"""
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {BOUND!r}, str(os.getpid())])
sys.stdin.read()
os._exit(0)
"""


def test_a_parent_that_is_gone_already_is_noticed() -> None:
    done = subprocess.run([sys.executable, "-c", BOUND, str(os.getpid() + 1)], check=False)
    assert done.returncode == 9


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child")
def test_a_child_ends_with_its_parent() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"bound\n"
        parent.send_signal(signal.SIGKILL)
        assert parent.stdout.read() == b""  # the child, which holds the other end, is gone
