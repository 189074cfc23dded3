"""A document store: upload any file, durably; have it processed; find, read and download it.

```python
import docstore

async with docstore.open("./data") as store:
    me = await store.accounts.ensure("their-id")
    file = await store.upload(me, b"hello", filename="hello.txt")
    file = await store.wait(me, file.id)
```
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docstore.container import Container, migrate, running
    from docstore.domain import errors
    from docstore.entrypoints.embedded import Store, open, opened
    from docstore.settings import Settings

__all__ = ["Container", "Settings", "Store", "errors", "migrate", "open", "opened", "running"]

_HOMES = {
    "Container": "docstore.container",
    "Settings": "docstore.settings",
    "Store": "docstore.entrypoints.embedded",
    "errors": "docstore.domain.errors",
    "migrate": "docstore.container",
    "open": "docstore.entrypoints.embedded",
    "opened": "docstore.entrypoints.embedded",
    "running": "docstore.container",
}


def __getattr__(name: str) -> Any:
    """Loaded when first asked for: the child processes that read files import parts of this
    package, and must not carry the rest of it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(_HOMES[name])
    return home if name == "errors" else getattr(home, name)
