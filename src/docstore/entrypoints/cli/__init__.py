"""The `docstore` command."""

from docstore.entrypoints.cli.commands import main

__all__ = ["main"]
