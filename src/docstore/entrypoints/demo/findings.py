"""What processing found, in a few words."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from docstore.entrypoints.demo.client import View

_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")


def readable_size(size: float) -> str:
    """`size` bytes for people."""
    for unit in _UNITS:
        if size < 1024 or unit == _UNITS[-1]:
            break
        size /= 1024
    return f"{size:.0f} {unit}" if size >= 10 or unit == "B" else f"{size:.1f} {unit}"


def short_type(media_type: str) -> str:
    """Long names, which office formats have, without their middle."""
    family, _, name = media_type.partition("/")
    return media_type if len(name) < 24 else f"{family}/…{'.'.join(name.split('.')[-2:])}"


def found(view: View) -> str:
    """What is known of the file beside its bytes, or why nothing is."""
    if view["error"]:
        return f"{view['error']['code']}: {view['error']['message']}"
    return ", ".join([*_facts(view["extracted"] or {}), *_extras(view)]) or "nothing to read"


def preview(view: View, length: int = 60) -> str:
    """The beginning of the text, on one line."""
    text = (view["extracted"] or {}).get("text") or {}
    words = " ".join(str(text.get("preview") or "").split())
    return words if len(words) <= length else f"{words[: length - 1]}…"


def _facts(extracted: Mapping[str, Any]) -> Iterator[str]:
    if text := extracted.get("text"):
        language = f" ({text['language']})" if text.get("language") else ""
        yield f"{_count(text['words'], 'word')}{language}"
    if pages := (extracted.get("document") or {}).get("pages"):
        yield _count(pages, "page")
    if image := extracted.get("image"):
        yield f"{image['width']} x {image['height']} px"
        if image.get("exif"):
            yield _count(len(image["exif"]), "EXIF field")
    if entries := (extracted.get("archive") or {}).get("entries"):
        yield _count(entries, "entry", "entries")


def _extras(view: View) -> Iterator[str]:
    if view["renditions"]:
        yield " + ".join(each["name"] for each in view["renditions"])
    for warning in view["warnings"]:
        yield f"warning: {warning['code']}"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
