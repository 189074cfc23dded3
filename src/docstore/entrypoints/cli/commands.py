"""The root of the command line: which commands there are, and how their errors end."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import click

from docstore.entrypoints.cli.failures import failure

_HERE: Final = "docstore.entrypoints.cli"

_COMMANDS: Final[Mapping[str, str]] = {
    "demo": "demo:demo",
    "serve": "serve:serve",
    "worker": "worker:worker",
    "migrate": "migrate:migrate",
    "config": "config:config",
    "users": "users:users",
    "login": "login:login",
    "register": "login:register",
    "logout": "login:logout",
    "whoami": "login:whoami",
    "upload": "upload:upload",
    "ls": "listing:ls",
    "get": "files:get",
    "text": "files:text",
    "download": "download:download",
    "edit": "files:edit",
    "retry": "files:retry",
    "rm": "files:rm",
    "jobs": "listing:jobs",
    "reprocess": "reprocess:reprocess",
    "sweep": "upkeep:sweep",
    "fsck": "upkeep:fsck",
    "doctor": "doctor:doctor",
    "completion": "completion:completion",
    "_api": "children:api",
    "_worker": "children:worker",
}
"""Name to module and object: a command loads what it needs, and nothing else."""


class Commands(click.Group):
    """Loads a command when it is asked for, and turns its errors into one line and a status."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in _COMMANDS if not name.startswith("_")]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(import_module(f"{_HERE}.{module}"), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise  # click ends them all, without a word when nobody reads on
        except Exception as error:
            if ctx.params["debug"]:
                raise
            raise failure(error) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="docstore", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
def main(debug: bool) -> None:
    """Upload any file, durably; have it processed; find, read and download it.

    Settings are read from DOCSTORE_* variables and from .env; `docstore config` shows them.
    """
