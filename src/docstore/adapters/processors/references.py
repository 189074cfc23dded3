"""Processors by name: how one process tells another which classes to use."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from docstore.application.ports.processor import Processor, ProcessorOptions


def reference(processor: Processor) -> str:
    """`module:Class`, from which another process makes the same processor.

    Raises ValueError for a class that cannot be imported.
    """
    kind = type(processor)
    if kind.__module__ == "__main__" or "<locals>" in kind.__qualname__:
        raise ValueError(f"{kind.__qualname__}: a processor must be an importable class")
    return f"{kind.__module__}:{kind.__qualname__}"


def load(references: Sequence[str], options: ProcessorOptions) -> Mapping[str, Processor]:
    """The processors, each made anew, by reference."""
    return {each: named(each)(options) for each in references}


def named(reference: str) -> Any:
    """What `module:name` stands for."""
    module, _, path = reference.partition(":")
    found: Any = import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    return found
