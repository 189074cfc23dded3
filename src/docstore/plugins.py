"""Finds adapters and processors by Python entry points: ours like everybody's."""

from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
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
    return _loaded(port, known[scheme])(url, durable=durable)


def _loaded(port: str, point: EntryPoint) -> Any:
    try:
        return point.load()
    except ModuleNotFoundError as error:
        extra = point.name.split("+")[0]
        raise UnknownAdapter(
            f"{port}: {point.name}: needs {error.name}; pip install 'docstore[{extra}]'"
        ) from error


def load_all(group: str, *arguments: object) -> Sequence[Any]:
    """What every entry point of `docstore.<group>` makes of `arguments`, in the order of names."""
    found = sorted(entry_points(group=f"docstore.{group}"), key=lambda point: point.name)
    return [point.load()(*arguments) for point in found]
