from datetime import timedelta

from prometheus_client import CollectorRegistry, generate_latest

from docstore.application.observing import Stock
from docstore.application.sweeping import Swept
from docstore.entrypoints.metrics.meters import NO_METERS, Answered, Meters
from docstore.entrypoints.metrics.prometheus import PrometheusMeters

AN_ANSWER = Answered(method="GET", route="/files", status=200, seconds=0.2, received=3, sent=5)


def tell(meters: Meters) -> None:
    meters.answered(AN_ANSWER)
    meters.uploaded(2, 700)
    meters.attempted("process", 1.5, "completed")
    meters.extracted("image", 0.1, "ok")
    meters.swept(Swept(blobs=4, claims=1))
    meters.took_stock(Stock(queued=7, due=6, processing=2, oldest_due=timedelta(seconds=90)))


def test_all_that_is_told_is_shown() -> None:
    registry = CollectorRegistry()
    meters = PrometheusMeters(registry)
    tell(meters)
    tell(meters)
    shown = generate_latest(registry).decode().splitlines()
    for line in (
        'docstore_http_requests_total{method="GET",route="/files",status="200"} 2.0',
        'docstore_http_request_seconds_bucket{le="0.1",method="GET",route="/files"} 0.0',
        'docstore_http_request_seconds_bucket{le="0.25",method="GET",route="/files"} 2.0',
        "docstore_http_received_bytes_total 6.0",
        "docstore_http_sent_bytes_total 10.0",
        "docstore_uploaded_files_total 4.0",
        "docstore_uploaded_bytes_total 1400.0",
        'docstore_job_attempts_total{job_type="process",outcome="completed"} 2.0',
        'docstore_job_attempt_seconds_sum{job_type="process"} 3.0',
        'docstore_processor_runs_total{outcome="ok",processor="image"} 2.0',
        'docstore_processor_seconds_count{processor="image"} 2.0',
        "docstore_sweeps_total 2.0",
        'docstore_swept_total{kind="blobs"} 8.0',
        'docstore_swept_total{kind="claims"} 2.0',
        'docstore_jobs{status="queued"} 7.0',
        'docstore_jobs{status="processing"} 2.0',
        "docstore_jobs_due 6.0",
        "docstore_jobs_oldest_due_seconds 90.0",
    ):
        assert line in shown, line


def test_nobody_needs_to_be_told() -> None:
    tell(NO_METERS)
