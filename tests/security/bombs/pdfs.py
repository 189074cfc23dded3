"""PDFs that loop, nest, inflate or hide something (ISO 32000-2)."""

import hashlib
import struct
import zlib
from collections.abc import Sequence
from typing import Final

PAGE: Final = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources{}>>"
FONT: Final = "<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
ONE_PAGE: Final = "<</Type/Pages/Kids[3 0 R]/Count 1>>"


def pdf(objects: Sequence[bytes | str], trailer: str = "/Root 1 0 R") -> bytes:
    """With a cross-reference table; the objects are numbered from 1."""
    data, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, each in enumerate(objects, 1):
        offsets.append(len(data))
        content = each if isinstance(each, bytes) else each.encode()
        data += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    start = len(data)
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    data += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode()
    data += f"trailer\n<</Size {len(objects) + 1}{trailer}>>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(data)


def stream(data: bytes, about: str = "") -> bytes:
    return b"<<%b/Length %d>>stream\n%b\nendstream" % (about.encode(), len(data), data)


def spoken(content: bytes, *more: bytes | str, catalogue: str = "", filters: int = 0) -> bytes:
    """One page with that content, deflated so many times, and the objects from 5 on."""
    for _ in range(filters):
        content = zlib.compress(content, 9)
    about = f"/Filter[{'/FlateDecode' * filters}]" if filters else ""
    objects = [f"<</Type/Catalog/Pages 2 0 R{catalogue}>>", ONE_PAGE, PAGE.format(FONT)]
    return pdf([*objects, stream(content, about), *more])


def words(said: str) -> bytes:
    return f"BT /F 9 Tf 9 9 Td ({said}) Tj ET\n".encode()


def long_content(mebibytes: int) -> bytes:
    piece = words("words and words and words")
    return spoken(piece * (mebibytes * 1024**2 // len(piece)), filters=1)


def nested_filters(mebibytes: int) -> bytes:
    """So much of spaces in less than a kilobyte: deflated three times over."""
    content = zlib.compress(zlib.compress(_deflated(mebibytes), 9), 9)
    objects = ["<</Type/Catalog/Pages 2 0 R>>", ONE_PAGE, PAGE.format(FONT)]
    about = "/Filter[/FlateDecode/FlateDecode/FlateDecode]"
    return pdf([*objects, stream(content, about)])


def _deflated(mebibytes: int) -> bytes:
    """Without compressing all of it: blocks after a full flush stand for themselves."""
    packer = zlib.compressobj(9)
    data = b" " * 1024**2
    first = packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + again * (mebibytes - 1)


def many_kids(number: int) -> bytes:
    kids = "3 0 R " * number
    tree = f"<</Type/Pages/Kids[{kids}]/Count {number}>>"
    page = PAGE.format(FONT)
    return pdf(["<</Type/Catalog/Pages 2 0 R>>", tree, page, stream(words("again"))])


def looping_pages() -> bytes:
    """A node of the tree of pages is its own child."""
    tree = "<</Type/Pages/Kids[2 0 R 2 0 R]/Count 100000/Parent 2 0 R>>"
    return pdf(["<</Type/Catalog/Pages 2 0 R>>", tree])


def looping_sections() -> bytes:
    """Its cross-reference table says that the one before it is itself."""
    data = spoken(words("once"))
    start = data.rindex(b"xref\n0")
    return data.replace(b"/Root 1 0 R", b"/Root 1 0 R/Prev %d" % start)


def looping_outline() -> bytes:
    """An outline whose entries follow each other for ever, and a thread of such beads."""
    outline = "<</First 6 0 R/Last 6 0 R/Count 2>>"
    entry = "<</Title(a)/Parent 5 0 R/Next 6 0 R/Prev 6 0 R/First 6 0 R/Last 6 0 R/Count 9>>"
    thread = "<</Type/Thread/F 8 0 R/I<</Title(b)>>>>"
    bead = "<</Type/Bead/T 7 0 R/N 8 0 R/V 8 0 R/P 3 0 R/R[0 0 9 9]>>"
    catalogue = "/Outlines 5 0 R/Threads[7 0 R]"
    return spoken(words("once"), outline, entry, thread, bead, catalogue=catalogue)


def deep_arrays(depth: int) -> bytes:
    deep = "[" * depth + "]" * depth
    return pdf(
        [f"<</Type/Catalog/Pages 2 0 R/Deep {deep}>>", f"<</Type/Pages/Kids {deep}/Count 1>>"]
    )


def no_pages() -> bytes:
    return pdf(["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[]/Count 0>>"])


def active() -> bytes:
    """It wants to start a program and to run a script, and holds a file."""
    catalogue = (
        "/OpenAction<</S/Launch/F(/bin/touch)/Win<</F(cmd.exe)>>>>"
        "/AA<</WC<</S/JavaScript/JS(app.alert\\(1\\))>>>>"
        "/Names<</EmbeddedFiles<</Names[(a.txt)5 0 R]>>/JavaScript<</Names[(a)6 0 R]>>>>"
    )
    attached = "<</Type/Filespec/F(a.txt)/UF(a.txt)/EF<</F 7 0 R>>>>"
    script = "<</S/JavaScript/JS(app.launchURL\\('http://127.0.0.1:1'\\))>>"
    return spoken(
        words("seen"), attached, script, stream(b"attached", "/Type/EmbeddedFile"),
        catalogue=catalogue,
    )  # fmt: skip


def encrypted(password: bytes = b"secret") -> bytes:
    """With the standard handler, revision 3 (7.6.4): what is in it, only the password tells."""
    padding = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
    known = (password + padding)[:32]
    identity = bytes(16)
    owner = hashlib.md5(known).digest()
    for _ in range(50):
        owner = hashlib.md5(owner).digest()
    o = _crypted(owner, known)
    key = hashlib.md5(known + o + struct.pack("<l", -4) + identity).digest()
    for _ in range(50):
        key = hashlib.md5(key).digest()
    u = _crypted(key, hashlib.md5(padding + identity).digest()) + bytes(16)
    handler = f"<</Filter/Standard/V 2/R 3/Length 128/P -4/O<{o.hex()}>/U<{u.hex()}>>>"
    tree = ("<</Type/Catalog/Pages 2 0 R>>", ONE_PAGE, PAGE.format(FONT))
    objects: list[bytes | str] = [*tree, stream(b"x"), handler]
    return pdf(objects, f"/Root 1 0 R/Encrypt 5 0 R/ID[<{identity.hex()}><{identity.hex()}>]")


def _crypted(key: bytes, data: bytes) -> bytes:
    """Algorithms 3 and 5: RC4, then 19 times more with the key changed."""
    for number in range(20):
        data = _rc4(bytes(byte ^ number for byte in key), data)
    return data


def _rc4(key: bytes, data: bytes) -> bytes:
    box = list(range(256))
    j = 0
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) % 256
        box[i], box[j] = box[j], box[i]
    i = j = 0
    out = bytearray()
    for byte in data:
        i = (i + 1) % 256
        j = (j + box[i]) % 256
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) % 256])
    return bytes(out)
