"""How a command ends that did not do its work: one line on stderr, and an exit status."""

import os
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import IO, Any, Final

import click
from pydantic import ValidationError

from docstore.domain.errors import DocstoreError, NewerData
from docstore.domain.ordering import Unorderable
from docstore.entrypoints.client.errors import Changed, Refused, Unreachable, WhoseFiles
from docstore.entrypoints.logs import printable
from docstore.entrypoints.secrecy import PublishedSecret
from docstore.entrypoints.serving.address import CannotListen, NoAnswer
from docstore.entrypoints.serving.crew import ChildFailed
from docstore.entrypoints.serving.folder import Held
from docstore.plugins import UnknownAdapter
from docstore.settings import explain


class Exit(IntEnum):
    """Exit statuses. Stable: scripts rely on them."""

    OK = 0
    FAILED = 1  # refused, not found, trouble found, a part does not answer
    WRONG_USE = 2  # of the command line, or a setting that is not valid
    HELD = 3  # another `serve` has the data directory
    NEWER_DATA = 4  # made by a newer version


class Failure(click.ClickException):
    """What a person at the terminal is told."""

    def __init__(self, message: str, status: int = Exit.FAILED) -> None:
        super().__init__(printable(" ".join(message.split())))
        self.exit_code = int(status)  # type: ignore[misc]  # click asks the instance

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"docstore: {self.message}", file=file, err=True)


class ToldAlready(Failure):
    """A child process has said on stderr what is wrong."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Nothing is added."""


_TABLE: Final[Sequence[tuple[type[Exception], Exit, Callable[[Any], str]]]] = (
    (NewerData, Exit.NEWER_DATA, str),
    (DocstoreError, Exit.FAILED, str),
    (ValidationError, Exit.WRONG_USE, explain),
    (PublishedSecret, Exit.WRONG_USE, str),
    (UnknownAdapter, Exit.WRONG_USE, str),
    (Unorderable, Exit.WRONG_USE, lambda error: f"processors: {error}"),
    (Held, Exit.HELD, str),
    (CannotListen, Exit.FAILED, str),
    (NoAnswer, Exit.FAILED, str),
    (Refused, Exit.FAILED, str),
    (Unreachable, Exit.FAILED, str),
    (Changed, Exit.FAILED, str),
    (WhoseFiles, Exit.FAILED, str),
    (OSError, Exit.FAILED, lambda error: _of_the_system(error)),
)


def failure(error: BaseException) -> Failure:
    """What is said of `error`, and the status it ends with."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, ChildFailed):
        return _of_a_child(error)
    for kind, status, say in _TABLE:
        if isinstance(error, kind):
            return Failure(say(error), status)
    return Failure(f"{error or type(error).__name__} (docstore --debug ... shows where)")


def _of_the_system(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{os.fsdecode(error.filename)}: {reason}" if error.filename else reason


def _of_a_child(error: ChildFailed) -> Failure:
    if error.status in (Exit.FAILED, Exit.WRONG_USE, Exit.NEWER_DATA):
        return ToldAlready(str(error), error.status)
    return Failure(str(error))
