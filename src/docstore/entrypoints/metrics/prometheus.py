"""The meters as Prometheus knows them. Every label has few values, whatever clients send."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from docstore.application.observing import Stock
from docstore.application.sweeping import Swept
from docstore.entrypoints.metrics.meters import Answered

ANSWERS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)
"""Seconds. Long ones are downloads, uploads and waits, which take what their clients take."""
WORK: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class PrometheusMeters:
    """Made once in a process. Processes that share a folder of values (PROMETHEUS_MULTIPROC_DIR,
    set before prometheus_client is imported) are counted together.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, about: str, *labels: str) -> Counter:
            return Counter(f"docstore_{name}", about, labels, registry=registry)

        def gauge(name: str, about: str, *labels: str) -> Gauge:
            # Of several workers, each sees the same database.
            mode: Final = "mostrecent"
            return Gauge(
                f"docstore_{name}", about, labels, registry=registry, multiprocess_mode=mode
            )

        def histogram(name: str, about: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"docstore_{name}", about, labels, registry=registry, buckets=buckets)

        self._requests = counter(
            "http_requests", "Requests that were answered.", "method", "route", "status"
        )
        self._seconds = histogram(
            "http_request_seconds", "From a request's head to its end.", ANSWERS, "method", "route"
        )
        self._received = counter("http_received_bytes", "Bytes of requests' bodies.")
        self._sent = counter("http_sent_bytes", "Bytes of answers' bodies.")
        self._uploads = counter("uploaded_files", "Files of uploads that were answered with 201.")
        self._upload_bytes = counter("uploaded_bytes", "Bytes of those files.")
        self._attempts = counter(
            "job_attempts", "Attempts at jobs that have ended.", "job_type", "outcome"
        )
        self._attempt_seconds = histogram(
            "job_attempt_seconds", "What an attempt took.", WORK, "job_type"
        )
        self._extractions = counter(
            "processor_runs", "Files that a processor has read.", "processor", "outcome"
        )
        self._extraction_seconds = histogram(
            "processor_seconds", "What a processor took for a file.", WORK, "processor"
        )
        self._sweeps = counter("sweeps", "Looks for what no row names.")
        self._swept = counter("swept", "What they removed.", "kind")
        self._jobs = gauge("jobs", "Jobs that are not done yet.", "status")
        self._due = gauge("jobs_due", "Queued jobs that could begin now.")
        self._oldest_due = gauge(
            "jobs_oldest_due_seconds", "How long the first of them has been due."
        )

    def answered(self, answered: Answered) -> None:
        status = str(answered.status)
        self._requests.labels(answered.method, answered.route, status).inc()
        self._seconds.labels(answered.method, answered.route).observe(answered.seconds)
        self._received.inc(answered.received)
        self._sent.inc(answered.sent)

    def uploaded(self, files: int, size: int) -> None:
        self._uploads.inc(files)
        self._upload_bytes.inc(size)

    def attempted(self, job_type: str, seconds: float, outcome: str) -> None:
        self._attempts.labels(job_type, outcome).inc()
        self._attempt_seconds.labels(job_type).observe(seconds)

    def extracted(self, processor: str, seconds: float, outcome: str) -> None:
        self._extractions.labels(processor, outcome).inc()
        self._extraction_seconds.labels(processor).observe(seconds)

    def swept(self, swept: Swept) -> None:
        self._sweeps.inc()
        for kind in ("blobs", "leftovers", "purges", "claims"):
            self._swept.labels(kind).inc(getattr(swept, kind))

    def took_stock(self, stock: Stock) -> None:
        self._jobs.labels("queued").set(stock.queued)
        self._jobs.labels("processing").set(stock.processing)
        self._due.set(stock.due)
        self._oldest_due.set(stock.oldest_due.total_seconds())
