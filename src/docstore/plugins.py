"""Finds adapters and processors by Python entry points: ours like everybody's."""

from collections.abc import Collection, Sequence
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
        extra = point.name.partition("+")[0]  # ours are named after their schemes
        raise UnknownAdapter(
            f"{port}: {point.name!r} needs {error.name}; pip install 'docstore[{extra}]' brings it"
        ) from error


def load_all(group: str, *arguments: object, off: Collection[str] = ()) -> Sequence[Any]:
    """What every entry point of `docstore.<group>` makes of `arguments`, in the order of names.

    Those whose names are `off` are not even loaded; UnknownAdapter for one that there is not.
    """
    found = sorted(entry_points(group=f"docstore.{group}"), key=lambda point: point.name)
    names = {point.name for point in found}
    if unknown := sorted(set(off) - names):
        setting = f"DOCSTORE_{group.upper()}_OFF"
        raise UnknownAdapter(f"{setting}: {unknown[0]!r} is not one of {sorted(names)}")
    return [point.load()(*arguments) for point in found if point.name not in off]
