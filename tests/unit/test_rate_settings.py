import re
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from docstore.container import Container
from docstore.domain.rates import Rate
from docstore.settings import Settings, explain


def made(**changes: Any) -> Settings:
    return Settings(**changes)


def test_the_defaults() -> None:
    settings = made()
    assert settings.uploads == Rate(1000, 60)
    assert settings.failed_logins == Rate(10, 60)
    assert settings.proxies == ()


@pytest.mark.parametrize(
    ("queue", "processes", "limits"),
    [
        ("", 1, "memory://"),
        ("", 2, "sqlite:///data/rate-limits.db"),
        ("redis://host/1", 1, "redis://host/1"),
        ("rediss://host/1", 2, "rediss://host/1"),
    ],
)
def test_where_limits_are_counted(queue: str, processes: int, limits: str) -> None:
    settings = made(data_dir=Path("/data"), queue_url=queue, api_processes=processes)
    assert settings.rate_limits == limits
    chosen = made(queue_url=queue, api_processes=processes, rate_limits_url="memory://")
    assert chosen.rate_limits == "memory://"


@pytest.mark.parametrize(
    ("database", "cores", "chosen", "processes"),
    [
        ("", 8, 0, 2),
        ("", 1, 0, 1),
        ("sqlite+aiosqlite:///a.db", 2, 0, 2),
        ("postgresql://host/db", 8, 0, 1),
        ("memory://", 8, 0, 1),
        ("", 8, 1, 1),
        ("postgresql://host/db", 1, 3, 3),
    ],
)
def test_how_many_processes_serve(
    monkeypatch: pytest.MonkeyPatch, database: str, cores: int, chosen: int, processes: int
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    settings = made(database_url=database, api_processes=chosen)
    assert settings.as_served.api_processes == processes
    assert settings.as_served.rate_limits.startswith("memory" if processes == 1 else "sqlite")
    assert settings.rate_limits.startswith("sqlite" if chosen > 1 else "memory")


@pytest.mark.parametrize(
    ("written", "rate"),
    [("5/second", Rate(5, 1)), ("5/hour", Rate(5, 3600)), ("5/day", Rate(5, 86400)), ("off", None)],
)
def test_an_upload_rate(written: str, rate: Rate | None) -> None:
    assert made(upload_rate=written).uploads == rate


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"upload_rate": "many"}, "DOCSTORE_UPLOAD_RATE: .* such as 10/minute"),
        ({"upload_rate": "0/minute"}, "DOCSTORE_UPLOAD_RATE: .* such as 10/minute"),
        ({"upload_rate": ""}, "DOCSTORE_UPLOAD_RATE: .* such as 10/minute"),
        ({"login_rate": "off"}, "DOCSTORE_LOGIN_RATE: .* such as 10/minute"),
        ({"login_rate": "10/hour"}, "DOCSTORE_LOGIN_RATE: .* per second or minute"),
        ({"trusted_proxies": "10.0.0.0/33"}, "DOCSTORE_TRUSTED_PROXIES: .* takes networks"),
        ({"trusted_proxies": "10.0.0.1/8"}, "DOCSTORE_TRUSTED_PROXIES: .* host bits"),
        ({"trusted_proxies": "proxy.example"}, "DOCSTORE_TRUSTED_PROXIES: .* takes networks"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(change: Mapping[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        made(**change)
    line = explain(caught.value)
    assert "\n" not in line
    assert re.search(told, line), line


def test_proxies_are_networks() -> None:
    settings = made(trusted_proxies="10.0.0.0/8, ::1,192.0.2.1")
    assert settings.proxies == tuple(map(ip_network, ("10.0.0.0/8", "::1", "192.0.2.1")))


def test_one_process_keeps_its_limits_in_memory() -> None:
    assert made().rate_limits == "memory://"


def test_several_share_a_file(tmp_path: Path) -> None:
    settings = made(data_dir=tmp_path / "a b", api_processes=2)
    assert settings.rate_limits == f"sqlite://{tmp_path}/a%20b/rate-limits.db"
    assert Container(settings=settings).rate_limits()._path == tmp_path / "a b" / "rate-limits.db"


def test_or_what_is_named() -> None:
    settings = made(api_processes=2, rate_limits_url="memory://")
    assert settings.rate_limits == "memory://"
