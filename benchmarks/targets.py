"""What is measured: docstore, a bare handler, nginx. Each is started, then speaks for itself."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from places import GIB
from plan import Plan

PATIENCE: Final = 60.0  # seconds that a server gets to start
HERE: Final = Path(__file__).parent
EMAIL: Final = "bench@example.org"
PASSWORD: Final = "correct horse battery staple"
BOUNDARY: Final = "----------------------------bench"


class Target(ABC):
    """A running server."""

    name: str

    def __init__(self, process: subprocess.Popen[str], port: int, data: Path) -> None:
        self.pid = process.pid
        self.port = port
        self.data = data

    def plan(self, **more: Any) -> Plan:
        return Plan(
            host="127.0.0.1",
            port=self.port,
            headers=[*self.headers(), *more.pop("headers", ())],
            **more,
        )

    def headers(self) -> list[str]:
        return []

    @abstractmethod
    def upload(self, **more: Any) -> Plan:
        """The file is the body."""

    def content(self, locations: list[str], **more: Any) -> Plan:
        """Download what earlier uploads stored, by their Location."""
        return self.plan(paths=[urlsplit(each).path for each in locations], **more)

    @abstractmethod
    def forget(self, location: str) -> None:
        """Make room again."""


class Docstore(Target):
    """`docstore serve` with everything on but the limit on uploads: one user sends them all."""

    name = "docstore"

    def __init__(self, process: subprocess.Popen[str], port: int, data: Path) -> None:
        super().__init__(process, port, data)
        self._token = _signed_in(f"http://127.0.0.1:{port}")

    def headers(self) -> list[str]:
        return [f"Authorization: Bearer {self._token}"]

    def upload(self, **more: Any) -> Plan:
        return self.plan(
            method="POST",
            paths=["/files"],
            headers=[
                'Content-Disposition: attachment; filename="report.bin"',
                "Content-Type: application/octet-stream",
            ],
            **more,
        )

    def form(self, **more: Any) -> Plan:
        """The file comes in a form, with a title."""
        return self.plan(
            method="POST",
            paths=["/files"],
            headers=[f"Content-Type: multipart/form-data; boundary={BOUNDARY}"],
            before=_field("title", "Report") + _field("file", "", 'filename="report.bin"')[:-2],
            after=f"\r\n--{BOUNDARY}--\r\n",
            **more,
        )

    def content(self, locations: list[str], **more: Any) -> Plan:
        return self.plan(paths=[f"{each}/content" for each in locations], **more)

    def forget(self, location: str) -> None:
        with self.client() as client:
            client.delete(location).raise_for_status()

    def client(self) -> httpx.Client:
        """For what is prepared or looked at, but not measured."""
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=PATIENCE,
        )

    @classmethod
    @contextmanager
    def serving(
        cls, data: Path, *, durability: str, isolation: str = "jail", workers: int = 0
    ) -> Iterator["Docstore"]:
        own = {name: value for name, value in os.environ.items() if name[:9] != "DOCSTORE_"}
        settings = {
            "DOCSTORE_DATA_DIR": str(data),
            "DOCSTORE_DURABILITY": durability,
            "DOCSTORE_ISOLATION": isolation,
            "DOCSTORE_WORKERS": str(workers),
            "DOCSTORE_UPLOAD_RATE": "off",
            "DOCSTORE_MAX_UPLOAD_BYTES": str(2 * GIB),
            "DOCSTORE_MAX_UPLOAD_FILES": "1000",
            "DOCSTORE_LOG_LEVEL": "warning",
        }
        command = [
            sys.executable,
            "-m",
            "docstore.entrypoints.cli",
            "serve",
            "--json",
            "--port",
            "0",
        ]
        with _started(command, data, own | settings) as process:
            url = json.loads(_first_line(process))["url"]
            yield cls(process, urlsplit(url).port or 80, data)


class Bare(Target):
    name = "bare"

    def upload(self, **more: Any) -> Plan:
        return self.plan(method="POST", paths=["/files"], **more)

    def forget(self, location: str) -> None:
        (self.data / location.rsplit("/", 1)[1]).unlink()

    @classmethod
    @contextmanager
    def serving(cls, data: Path) -> Iterator["Bare"]:
        command = [sys.executable, str(HERE / "bare.py"), str(data)]
        with _started(command, data, dict(os.environ)) as process:
            yield cls(process, int(_first_line(process)), data)


class Nginx(Target):
    """PUT by its DAV module, and static files: neither hash nor row, the practical limit."""

    name = "nginx"

    def upload(self, **more: Any) -> Plan:
        # Its files are named by who sends them: a new folder for each run.
        self._runs = getattr(self, "_runs", 0) + 1
        return self.plan(method="PUT", paths=[f"/{self._runs}/{{n}}.bin"], **more)

    def forget(self, location: str) -> None:
        (self.data / "files" / urlsplit(location).path.lstrip("/")).unlink()

    @classmethod
    @contextmanager
    def serving(cls, data: Path) -> Iterator["Nginx"]:
        port = _free_port()
        (data / "files").mkdir()
        (data / "temporary").mkdir()
        configuration = data / "nginx.conf"
        configuration.write_text(_nginx_configuration(data, port))
        command = ["nginx", "-p", str(data), "-c", str(configuration)]
        with _started(command, data, dict(os.environ)) as process:
            _wait_for(port)
            yield cls(process, port, data)


def has_nginx() -> bool:
    return shutil.which("nginx") is not None


@contextmanager
def _started(
    command: list[str], folder: Path, environment: dict[str, str]
) -> Iterator[subprocess.Popen[str]]:
    log = folder.with_suffix(".log")
    with log.open("a") as errors:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=errors
        )
    try:
        yield process
    except BaseException:
        sys.stderr.write(log.read_text()[-2000:])
        raise
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
        process.kill()
        process.communicate()


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"{process.args!r} did not start")
    return line


def _signed_in(url: str) -> str:
    credentials = {"email": EMAIL, "password": PASSWORD}
    with httpx.Client(base_url=url, timeout=PATIENCE) as client:
        client.post("/auth/register", json=credentials)  # 409 when the data is used again
        answer = client.post("/auth/login", json=credentials).raise_for_status()
    token: str = answer.json()["access_token"]
    return token


def _field(name: str, value: str, more: str = "") -> str:
    about = f"; {more}\r\nContent-Type: application/octet-stream" if more else ""
    return (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{about}\r\n\r\n{value}\r\n'
    )


def _nginx_configuration(data: Path, port: int) -> str:
    return f"""
        {"user root;" if os.getuid() == 0 else ""}
        daemon off; pid {data}/nginx.pid; error_log stderr error; worker_processes auto;
        events {{ worker_connections 1024; }}
        http {{
            access_log off; sendfile on; client_max_body_size 0; client_body_buffer_size 128k;
            keepalive_requests 10000000; client_body_temp_path {data}/temporary;
            server {{
                listen 127.0.0.1:{port}; root {data}/files;
                location / {{ dav_methods PUT; create_full_put_path on; }}
            }}
        }}
    """


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
