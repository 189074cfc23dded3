"""Texts that harm whoever shows, stores or searches them."""

from typing import Final

MEBIBYTE: Final = 1024**2

COLOURS: Final = "a \x1b[31mred\x1b[0m \x1b]0;title \x1b[2J word"
SPELLED: Final = (
    "<!doctype html><html><body>before &#0;&#7;&#27;[31m &#xD800;&#xDFFF;&#xFFFE; after"
    "</body></html>"
)
RTF: Final = r"{\rtf1 before \u-10240? \u-9216? \u0? \'1b\'07 after}"
PILE: Final = "e" + "\u0301" * 1_000_000
BACKTRACKS: Final = "a" * MEBIBYTE + "!" + "(" * MEBIBYTE + "[[" * MEBIBYTE


def one_line(mebibytes: int) -> bytes:
    return b"words " * (mebibytes * MEBIBYTE // 6)


def surrogates() -> bytes:
    """UTF-16 whose pairs have lost a half."""
    return (
        b"\xff\xfe" + "before ".encode("utf-16-le") + b"\x00\xd8" * 9 + " after".encode("utf-16-le")
    )
