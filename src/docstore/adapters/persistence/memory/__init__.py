"""The database as dicts, for tests and simulation: no thread, no timer, nothing that waits."""

from docstore.adapters.persistence.memory.database import MemoryDatabase, MemoryUnitOfWork, connect
from docstore.adapters.persistence.memory.jobs import MemoryJobs
from docstore.adapters.persistence.memory.transaction import Change, Rows

__all__ = ["Change", "MemoryDatabase", "MemoryJobs", "MemoryUnitOfWork", "Rows", "connect"]
