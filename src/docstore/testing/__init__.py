"""Contracts that every adapter must pass, to be subclassed in its tests; builders of entities.

Needs the extra `docstore[testing]`.
"""

import pytest

# Before they are imported, or their asserts would not say what differs.
pytest.register_assert_rewrite(
    "docstore.testing.blob_store",
    "docstore.testing.job_queue",
    "docstore.testing.passwords",
    "docstore.testing.processor",
    "docstore.testing.rate_limiter",
    "docstore.testing.token_service",
    "docstore.testing.type_sniffer",
    "docstore.testing.unit_of_work",
)

from docstore.testing.blob_store import BlobStoreContract  # noqa: E402
from docstore.testing.builders import a_file, a_job, a_purge, a_step, a_user  # noqa: E402
from docstore.testing.job_queue import JobQueueContract  # noqa: E402
from docstore.testing.passwords import PasswordsContract  # noqa: E402
from docstore.testing.processor import ProcessorContract  # noqa: E402
from docstore.testing.rate_limiter import RateLimiterContract  # noqa: E402
from docstore.testing.token_service import TokenServiceContract  # noqa: E402
from docstore.testing.type_sniffer import TypeSnifferContract  # noqa: E402
from docstore.testing.unit_of_work import UnitOfWorkContract  # noqa: E402

__all__ = [
    "BlobStoreContract",
    "JobQueueContract",
    "PasswordsContract",
    "ProcessorContract",
    "RateLimiterContract",
    "TokenServiceContract",
    "TypeSnifferContract",
    "UnitOfWorkContract",
    "a_file",
    "a_job",
    "a_purge",
    "a_step",
    "a_user",
]
