"""What an owner may change of a file."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from docstore.domain.findings import Json


class Changes(TypedDict, total=False):
    """What is left out stays as it is."""

    filename: str
    title: str | None
    description: str | None
    tags: Sequence[str]
    metadata: Mapping[str, Json]


def merged(target: Json, patch: Mapping[str, Json]) -> Mapping[str, Json]:
    """`target` with a JSON Merge Patch (RFC 7396) applied: null takes a member away."""
    result = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            result[name] = merged(result.get(name), value)
        else:
            result[name] = value
    return result
