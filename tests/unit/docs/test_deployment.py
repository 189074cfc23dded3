"""What stands in the files for containers is what docstore and they themselves know."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from docstore.adapters.persistence.sql.postgresql.options import PREFIX, Options
from docstore.adapters.redis_server import RedisSettings
from docstore.adapters.storage.s3.credentials import S3Settings
from docstore.settings import Settings
from integration.services.programs import GO_MODULES

ROOT = Path(__file__).parents[3]
ELSEWHERE = {
    *(f"{PREFIX}{name.upper()}" for name in Options.model_fields),
    *(f"DOCSTORE_{name.upper()}" for name in RedisSettings.model_fields),
    *(f"DOCSTORE_S3_{name.upper()}" for name in S3Settings.model_fields),
}
"""Variables of adapters."""
KNOWN = {*(f"DOCSTORE_{name.upper()}" for name in Settings.model_fields), *ELSEWHERE}
GIVEN = {
    f"DOCSTORE_{name}"
    for name in (
        "DATABASE_URL", "DATABASE_PASSWORD", "STORAGE_URL", "S3_ACCESS_KEY", "S3_SECRET_KEY",
        "QUEUE_URL", "REDIS_PASSWORD", "JWT_SECRET", "WORKERS",
    )
}  # fmt: skip
"""What compose.yaml says."""
ITS_OWN = {
    f"DOCSTORE_{name}"
    for name in (
        "DATA_DIR", "HOST", "PORT", "WORKER_NAME", "METRICS_HOST", "METRICS_PORT",
        "S3_SESSION_TOKEN", "REDIS_USERNAME",
    )
}  # fmt: skip
"""What has no other value in a container, or must be another in each."""
OURS = ("api", "worker")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    return found


@pytest.fixture(scope="module")
def dist() -> dict[str, str]:
    return _variables((ROOT / ".env.dist").read_text())


@pytest.fixture(scope="module")
def env() -> dict[str, str]:
    """What the command makes that the docs tell to run."""
    command = _command((ROOT / "docs" / "deploying.md").read_text())
    return _variables(_output(command.removesuffix(">.env")))


def test_env_dist_has_what_compose_asks_for(
    dist: Mapping[str, str], services: Mapping[str, Any]
) -> None:
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text()))
    passed = {name for name, value in services["api"]["environment"].items() if value is None}
    assert asked <= set(dist) <= asked | passed


def test_no_secret_is_published(dist: Mapping[str, str]) -> None:
    """And compose does not start without: an example that works is never changed."""
    secrets = {name: value for name, value in dist.items() if re.search("SECRET|PASSWORD", name)}
    assert len(secrets) == 5
    assert set(secrets.values()) == {""}
    text = (ROOT / "compose.yaml").read_text()
    assert {name for name in secrets if re.search(rf"\$\{{{name}(?!:\?)", text)} == set()


def test_each_secret_is_made_by_one_command(dist: Mapping[str, str], env: dict[str, str]) -> None:
    secrets = [env[name] for name, value in env.items() if value != dist[name]]
    assert len({*secrets}) == len(secrets) == 5
    assert all(re.fullmatch("[0-9a-f]{64}", secret) for secret in secrets)
    assert env.keys() == dist.keys()
    assert _command((ROOT / ".env.dist").read_text()) in (ROOT / "docs/deploying.md").read_text()


@pytest.mark.parametrize("name", OURS)
def test_settings_are_settings(
    name: str,
    services: Mapping[str, Any],
    env: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    environment = services[name]["environment"]
    given = {
        key: env[key] if value is None else _filled(value, env)
        for key, value in environment.items()
        if value is not None or key in env
    }
    assert set(environment) <= KNOWN
    for key, value in given.items():
        monkeypatch.setenv(key, value)
    settings = Settings.model_validate({})
    assert settings.is_shared
    assert settings.has_shared_queue
    assert settings.rate_limits == settings.queue
    assert settings.slots == 4


@pytest.mark.parametrize("name", OURS)
def test_every_setting_can_be_made_in_env(name: str, services: Mapping[str, Any]) -> None:
    """What is not listed would be ignored without a word."""
    environment = services[name]["environment"]
    assert KNOWN - set(environment) <= ITS_OWN
    assert {key for key, value in environment.items() if value is None} == KNOWN - GIVEN - ITS_OWN


def test_docstore_is_not_the_owner_of_its_servers(services: Mapping[str, Any]) -> None:
    minio, ours = (services[name]["environment"] for name in ("minio", "api"))
    assert minio["MINIO_ROOT_USER"] != ours["DOCSTORE_S3_ACCESS_KEY"]
    assert minio["MINIO_ROOT_PASSWORD"] != ours["DOCSTORE_S3_SECRET_KEY"]
    assert [name for name in OURS if "ROOT" in str(services[name])] == []


def test_every_container_has_a_limit_of_memory(
    services: Mapping[str, Any], env: Mapping[str, str]
) -> None:
    limits = {name: _filled(str(each.get("mem_limit")), env) for name, each in services.items()}
    assert {name: limit for name, limit in limits.items() if not re.match(r"\d+[mg]$", limit)} == {}


@pytest.mark.parametrize("name", OURS)
def test_what_is_read_lies_on_a_disk(name: str, services: Mapping[str, Any]) -> None:
    assert "/tmp" in services[name]["volumes"]
    assert not any(each.startswith("/tmp") for each in services[name]["tmpfs"])


def test_the_override_changes_services_that_are_there(services: Mapping[str, Any]) -> None:
    text = (ROOT / "compose.override.yml.dist").read_text()
    override = yaml.safe_load(text.replace("!override", ""))  # a tag of compose's own
    assert set(override["services"]) <= set(services)


def test_every_image_has_a_version(services: Mapping[str, Any]) -> None:
    images = [service["image"] for service in services.values()]
    for text in ((ROOT / "Dockerfile").read_text(), _inline(services)):
        images += re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert [each for each in images if not re.search(r":\D*\d+[.-]\d+", each)] == []


def test_minio_is_built_from_what_the_tests_run_on(services: Mapping[str, Any]) -> None:
    assert GO_MODULES["minio"] in _inline(services)


def test_every_service_tells_whether_it_is_well(services: Mapping[str, Any]) -> None:
    by_image = "HEALTHCHECK" in (ROOT / "Dockerfile").read_text()
    assert by_image
    assert [n for n, s in services.items() if n != "api" and "healthcheck" not in s] == []


def test_the_image_looks_where_docstore_serves() -> None:
    """On whatever port, under whatever prefix it is told to."""
    found = re.search(r"HEALTHCHECK .*\n *CMD (\[.*\])", (ROOT / "Dockerfile").read_text())
    assert found is not None
    _, *command = json.loads(found[1])
    seen: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Not of interest."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            given = {"DOCSTORE_PORT": str(server.server_port), "DOCSTORE_HTTP_PREFIX": "/api/"}
            subprocess.run([sys.executable, *command], env=given, check=True, timeout=30)
        finally:
            server.shutdown()
            thread.join()
    assert seen == ["/api/health"]


def test_postgresql_is_asked_where_docstore_reaches_it(services: Mapping[str, Any]) -> None:
    """Its image sets itself up with a server that answers on a local socket, then stops it."""
    assert services["postgres"]["healthcheck"]["test"][:4] == [
        "CMD",
        "pg_isready",
        "-h",
        "127.0.0.1",
    ]


def test_ours_can_do_little_harm(services: Mapping[str, Any]) -> None:
    users = re.findall(r"^USER (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert users == ["10001:10001"]
    for name in OURS:
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]


def test_the_image_is_built_from_what_is_let_in() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in lines if line.startswith("!")}
    assert set(_copied((ROOT / "Dockerfile").read_text())) == allowed
    assert [name for name in allowed if not (ROOT / name).exists()] == []


def _variables(text: str) -> dict[str, str]:
    lines = text.splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def _command(text: str) -> str:
    (found,) = re.findall(r"^(?:# *)?(awk .*)$", text, re.MULTILINE)
    return str(found)


def _output(command: str) -> str:
    if not (shutil.which("awk") and shutil.which("openssl")):
        pytest.skip("it takes awk and openssl")
    words = ["sh", "-c", command]
    return subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def _copied(dockerfile: str) -> Iterator[str]:
    for line in re.findall(r"^COPY (?!--from)(.*)$", dockerfile, re.MULTILINE):
        yield from line.split()[:-1]


def _filled(value: str, given: Mapping[str, str]) -> str:
    """As compose would."""

    def fill(match: re.Match[str]) -> str:
        return given.get(match[1]) or (match[3] if match[2] == ":-" else "")

    return re.sub(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}", fill, value)


def _inline(services: Mapping[str, Any]) -> str:
    text: str = services["minio"]["build"]["dockerfile_inline"]
    return text
