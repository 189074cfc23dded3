"""HTML, XML and what is written in XML, by the first element."""

import re
from typing import Final

HTML: Final = "text/html"
XHTML: Final = "application/xhtml+xml"
XML: Final = "application/xml"

MAX_SKIPPED: Final = 32  # comments, declarations and instructions before the first element

_BY_ROOT: Final = {"svg": "image/svg+xml", "FictionBook": "application/x-fictionbook+xml"}
_NAME: Final = re.compile(r"<(?:[\w.-]{1,64}:)?([A-Za-z_][\w.-]{0,63})[\s/>]")
_CLOSERS: Final = (("<!--", "-->"), ("<?", "?>"), ("<!", ">"))
_XML_EXTENSIONS: Final = frozenset({"xml", "xsd", "xsl", "xslt", "rdf", "rss", "atom", "opf"})
_HTML_EXTENSIONS: Final = frozenset({"html", "htm", "xhtml", "shtml"})
_MARKDOWN: Final = frozenset({"md", "markdown"})
# What the WHATWG sniffing standard (mimesniff 7.1) takes for HTML when a file begins with it.
_HTML_BEGINNINGS: Final = frozenset(
    {"a", "b", "body", "br", "div", "font", "h1", "head", "html", "iframe", "p", "script",
     "style", "table", "title"}
)  # fmt: skip


def markup_type(begins: str, extension: str) -> str | None:
    """The type of a text that begins with `begins`, or None when it is no markup."""
    if not begins.startswith("<"):
        return HTML if extension in _HTML_EXTENSIONS and "</" in begins else None
    if begins[:14].lower() == "<!doctype html":
        return HTML
    root = _root(begins)
    if root in _BY_ROOT:
        return _BY_ROOT[root]
    if begins.startswith("<?xml"):
        return XHTML if root.lower() == "html" else XML
    return _without_prolog(root, begins, extension)


def _without_prolog(root: str, begins: str, extension: str) -> str | None:
    if root.lower() == "html":
        return HTML
    if extension in _XML_EXTENSIONS:
        return XML
    if extension in _MARKDOWN:
        return None
    if root.lower() in _HTML_BEGINNINGS or extension in _HTML_EXTENSIONS:
        return HTML
    return XML if root and f"</{root}>" in begins else None


def _root(begins: str) -> str:
    """The name of the first element, without its prefix; empty when there is none."""
    at = 0
    for _ in range(MAX_SKIPPED):
        at = begins.find("<", at)
        closer = next((end for start, end in _CLOSERS if begins.startswith(start, at)), None)
        if at < 0 or closer is None:
            break
        at = begins.find(closer, at)
        if at < 0:
            return ""
    found = _NAME.match(begins, max(at, 0))
    return found[1] if found else ""
