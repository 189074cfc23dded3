"""Finds adapters and processors by Python entry points: ours like everybody's."""

from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Any
from urllib.parse import urlsplit


class UnknownAdapter(LookupError):
    """No installed package offers an adapter for that URL."""


def connect(port: str, url: str, *, durable: bool = True) -> Any:
    """The adapter for `url`: its scheme names an entry point in the group `docstore.<port>`.

    The entry point is called as `factory(url, durable=...)`; `durable` says whether a completed
    write must survive power loss (DOCSTORE_DURABILITY). It is loaded only now, so that an adapter
    nobody uses needs none of its libraries.
    """
    scheme = urlsplit(url).scheme
    known = entry_points(group=f"docstore.{port}")
    if scheme not in known.names:
        raise UnknownAdapter(f"{port}: {scheme!r} is not one of {sorted(known.names)}")
    try:
        factory = known[scheme].load()
    except ModuleNotFoundError as error:
        extra = scheme.partition("+")[0]  # ours are named after their schemes
        message = (
            f"{port}: {scheme!r} needs {error.name}; pip install 'docstore[{extra}]' brings it"
        )
        raise UnknownAdapter(message) from error
    return factory(url, durable=durable)


def load_all(group: str, *arguments: object) -> Sequence[Any]:
    """What every entry point of `docstore.<group>` makes of `arguments`, in the order of names."""
    found = sorted(entry_points(group=f"docstore.{group}"), key=lambda point: point.name)
    return [point.load()(*arguments) for point in found]
