"""Who is signed in where: a file in the user's configuration, read by nobody else."""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Login:
    """A token for one server."""

    url: str
    email: str
    token: str


@dataclass(frozen=True, slots=True)
class Logins:
    """All of them, and the one that counts where no server is named."""

    current: str | None
    known: Mapping[str, Login]

    @classmethod
    def read(cls) -> Self:
        """Those that are kept; none when there is no such file, or nothing to be made of it."""
        try:
            kept: Any = json.loads(place().read_bytes())
            known = {url: Login(url, each["email"], each["token"]) for url, each in
                     kept["logins"].items()}  # fmt: skip
            return cls(kept["current"], known)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls(None, {})

    def find(self, url: str | None) -> Login | None:
        """That of `url`, or of the current server."""
        return self.known.get(url or self.current or "")

    def with_login(self, login: Login) -> "Logins":
        return Logins(login.url, {**self.known, login.url: login})

    def without(self, url: str) -> "Logins":
        left = {name: login for name, login in self.known.items() if name != url}
        return Logins(None if self.current == url else self.current, left)

    def write(self) -> None:
        """In place of what was there, at once."""
        target = place()
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = {
            "current": self.current,
            "logins": {url: asdict(login) for url, login in self.known.items()},
        }
        # mkstemp makes it readable by its owner alone.
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=target.name)
        try:
            with os.fdopen(handle, "w") as file:
                json.dump(kept, file, indent=1)
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def place() -> Path:
    """Where they are kept, by the XDG base directory specification."""
    root = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(root) / "docstore" / "logins.json"
