"""The meters of all processes of a `serve`, read as Prometheus reads them."""

import socket
import time
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from integration.clients import final, signed_in, upload
from integration.servers import DidNotStart, Server, serving


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def read(port: int) -> dict[tuple[str, str], float]:
    """Each value by its name and the values of its labels, in the order of their names."""
    text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    return {
        (sample.name, " ".join(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_all_processes_count_together(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path / "data", api_processes="2", metrics_port=str(port)) as server:
        with signed_in(server) as client:
            file_id = upload(client)
            final(client, file_id)
            for _ in range(20):
                with httpx.Client(base_url=server.url) as other:
                    assert other.get("/health").status_code == 200
            assert client.get("/metrics").status_code == 404
        values = read(port)
        assert values["docstore_http_requests_total", "GET /health 200"] >= 20
        assert values["docstore_uploaded_files_total", ""] == 1
        assert values["docstore_job_attempts_total", "process completed"] == 1
        assert values["docstore_processor_runs_total", "ok text"] == 1
        until = time.monotonic() + 30
        while values.get(("docstore_jobs_due", "")) != 0 and time.monotonic() < until:
            time.sleep(0.2)
            values = read(port)
        assert values["docstore_jobs_due", ""] == 0
        assert file_id not in httpx.get(f"http://127.0.0.1:{port}/metrics").text


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path / "one", metrics_port=str(port)):
        second = Server(tmp_path / "two", {"DOCSTORE_METRICS_PORT": str(port)})
        with pytest.raises(DidNotStart) as refused:
            second.start()
    assert f"cannot show metrics on 127.0.0.1 port {port}" in refused.value.said
