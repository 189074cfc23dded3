"""Modules that Python imports only when their work comes up, which in the jail is too late."""

import codecs
import encodings
import pkgutil
from contextlib import suppress
from importlib import import_module
from typing import Final

_OTHERS: Final = ("_strptime", "stringprep", "unicodedata")  # dates; host names; both


def import_lazy_modules() -> None:
    """All encodings, since a text may be in any, and the like."""
    for each in pkgutil.iter_modules(encodings.__path__):
        with suppress(LookupError, ImportError):  # some exist on Windows alone
            codecs.lookup(each.name)
    for name in _OTHERS:
        import_module(name)
