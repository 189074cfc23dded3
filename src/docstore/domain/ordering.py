"""In which order things come that name what they come after."""

from collections.abc import Collection, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter


class Unorderable(ValueError):
    """There is no such order; the message names what is in its way."""


def ordered(after: Mapping[str, Collection[str]], *, absent: Collection[str] = ()) -> Sequence[str]:
    """The names in `after`, each behind those that it maps to; else by the alphabet.

    What is `absent` may be named, and means nothing then. Raises Unorderable for a name that is
    neither, and for a circle.
    """
    for name, earlier in sorted(after.items()):
        if unknown := sorted(set(earlier) - after.keys() - set(absent)):
            raise Unorderable(f"{name} is to come after {unknown[0]}, which is not there")
    graph = {name: sorted(set(earlier) & after.keys()) for name, earlier in sorted(after.items())}
    sorter = TopologicalSorter(graph)
    try:
        sorter.prepare()
    except CycleError as error:
        circle = " after ".join(reversed(error.args[1]))
        raise Unorderable(f"each is to come after another: {circle}") from None
    found: list[str] = []
    while sorter.is_active():
        level = sorted(sorter.get_ready())
        found += level
        sorter.done(*level)
    return found
