import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
from collections.abc import Callable

import pytest

from docstore.adapters.processors import budget, seven_zip
from docstore.adapters.processors.archive import ArchiveProcessor
from docstore.application.ports.processor import Findings, ProcessorOptions, Subject
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.findings import Json
from docstore.domain.names import FileName, MediaType
from docstore.testing import ProcessorContract
from unit.adapters.archives import encrypted_7z, options, tarred, zipped

ZIP, GZIP, TAR = "application/zip", "application/gzip", "application/x-tar"
BZIP2, XZ = "application/x-bzip2", "application/x-xz"
SEVEN_ZIP = "application/x-7z-compressed"
SECRET = 0x1  # bit of a zip member's flags
MIB = 1024**2


def extract(data: bytes, kind: str = ZIP, name: str = "file", **more: int) -> Findings:
    processor = ArchiveProcessor(options(**more))
    subject = Subject(name=FileName(name), media_type=MediaType(kind), size=len(data))
    return processor.extract(io.BytesIO(data), subject)


def facts(findings: Findings) -> dict[str, Json]:
    found = findings.facts["archive"]
    assert isinstance(found, dict)
    return found


def warnings(findings: Findings) -> dict[str, str]:
    return {notice.code: notice.message for notice in findings.warnings}


def fails(data: bytes, kind: str = ZIP, **more: int) -> FailureCode:
    with pytest.raises(ProcessingFailed) as caught:
        extract(data, kind, "file", **more)
    return caught.value.failure


class TestArchiveProcessorOnZip(ProcessorContract):
    processor_class = ArchiveProcessor

    @pytest.fixture
    def good(self) -> tuple[bytes, MediaType]:
        return zipped({"a.txt": b"alpha " * 50, "b/c.txt": "beta"}), MediaType(ZIP)


class TestArchiveProcessorOnTar(ProcessorContract):
    processor_class = ArchiveProcessor

    @pytest.fixture
    def good(self) -> tuple[bytes, MediaType]:
        return tarred({"a.txt": b"alpha", "b/c.txt": b"beta"}), MediaType(TAR)


class TestArchiveProcessorOnGzippedTar(ProcessorContract):
    processor_class = ArchiveProcessor

    @pytest.fixture
    def good(self) -> tuple[bytes, MediaType]:
        tar = tarred({"a.txt": b"alpha " * 500, "b/c.txt": b"beta"})
        return gzip.compress(tar, mtime=0), MediaType(GZIP)


def test_members_are_listed_and_read() -> None:
    page = b"<!doctype html><p>inside &amp; out"
    findings = extract(zipped({"a.txt": "alpha", "b/": "", "b/page.html": page, "x.bin": b"\0\1"}))
    assert facts(findings) == {
        "entries": 4, "names": ["a.txt", "b/", "b/page.html", "x.bin"],
        "unpacked_bytes": 5 + len(page) + 2,
    }  # fmt: skip
    assert findings.text == "a.txt\nalpha\n\nb/\n\nb/page.html\ninside & out\n\nx.bin"
    assert not findings.warnings


@pytest.mark.parametrize(
    ("kind", "squeeze"),
    [(GZIP, gzip.compress), (BZIP2, bz2.compress), (XZ, lzma.compress)],
)
def test_one_squeezed_file_is_read_and_so_is_a_tar_file(
    kind: str, squeeze: Callable[[bytes], bytes]
) -> None:
    alone = extract(squeeze(b"alpha"), kind, "notes.txt.gz")
    assert alone.text == "notes.txt\nalpha"
    assert facts(alone) == {"entries": 1, "names": ["notes.txt"], "unpacked_bytes": 5}
    tar = extract(squeeze(tarred({"a.txt": b"alpha", "b.txt": b"beta"})), kind)
    assert tar.text == "a.txt\nalpha\n\nb.txt\nbeta"
    assert facts(tar)["entries"] == 2


def test_what_is_no_file_in_a_tar_is_only_listed() -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        link = tarfile.TarInfo("innocent")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        device = tarfile.TarInfo("disk")
        device.type = tarfile.BLKTYPE
        archive.addfile(device)
    assert extract(file.getvalue(), TAR).text == "innocent\n\ndisk"


def test_names_are_texts_and_nothing_else() -> None:
    findings = extract(zipped({"../../up.txt": "alpha", "/etc/passwd": "beta", "C:\\x": "gamma"}))
    assert facts(findings)["names"] == ["../../up.txt", "/etc/passwd", "C:\\x"]
    assert findings.text is not None
    assert "../../up.txt\nalpha" in findings.text


def test_a_member_without_a_name_is_one_as_well() -> None:
    data = zipped({"ax": "words"}).replace(b"ax", b"\0x")  # a name ends at a zero
    assert facts(extract(data))["entries"] == 1


def test_names_from_before_unicode_are_guessed() -> None:
    name = "这是一个中文文件名用于检测编码我们希望它能够被正确识别.txt"
    raw = name.encode("gb18030")
    data = zipped({"x" * len(raw): "alpha"}).replace(b"x" * len(raw), raw)
    assert facts(extract(data))["names"] == [name]


def test_archives_in_archives_are_read_so_deep_and_no_deeper() -> None:
    data = zipped({"0.txt": "word0"})
    for level in range(1, 5):
        data = zipped({f"{level}.txt": f"word{level}", f"{level}.zip": data})
    findings = extract(data, max_archive_depth=3)
    assert findings.text is not None
    assert [word for word in findings.text.split() if word.startswith("word")] == [
        "word4", "word3", "word2"
    ]  # fmt: skip
    assert "DOCSTORE_MAX_ARCHIVE_DEPTH" in warnings(findings)["truncated"]
    assert "word0" in (extract(data, max_archive_depth=5).text or "")


def test_a_secret_member_is_told_of() -> None:
    data = bytearray(zipped({"open.txt": "alpha", "secret.txt": "beta"}))
    at = data.rindex(b"PK\x01\x02")
    struct.pack_into("<H", data, at + 8, SECRET)
    findings = extract(bytes(data))
    assert findings.text == "open.txt\nalpha\n\nsecret.txt"
    assert "secret.txt" in warnings(findings)["encrypted"]


def test_a_broken_member_spoils_no_other() -> None:
    data = zipped({"a.txt": "alpha" * 10, "b.docx": b"PK\x03\x04", "c.txt": "gamma"})
    at = data.index(b"a.txt") + 5
    findings = extract(data[:at] + b"\xff\xff\xff" + data[at + 3 :])
    assert findings.text == "a.txt\n\nb.docx\n\nc.txt\ngamma"
    assert "a.txt" in warnings(findings)["partial"]


def test_a_cut_tar_gives_what_it_has() -> None:
    tar = tarred({"a.txt": b"alpha", "b.bin": bytes(10_000)})
    findings = extract(gzip.compress(tar[:4000]), GZIP)
    assert findings.text is not None
    assert findings.text.startswith("a.txt\nalpha")
    assert "partial" in warnings(findings)


def test_bombs_are_refused_by_their_directory_or_as_they_unpack() -> None:
    bomb = zipped({"a": bytes(65 * MIB)})
    assert fails(bomb) is FailureCode.ARCHIVE_TOO_LARGE
    at = bomb.rindex(b"PK\x01\x02")
    lie = bytearray(bomb)
    struct.pack_into("<L", lie, at + 24, 10)  # its uncompressed size
    assert "a" in str(facts(extract(bytes(lie)))["names"])
    squeezed = gzip.compress(bytes(65 * MIB), 1)
    assert fails(squeezed, GZIP) is FailureCode.ARCHIVE_TOO_LARGE
    assert fails(zipped({"in.gz": squeezed}), ZIP) is FailureCode.ARCHIVE_TOO_LARGE


def test_entries_and_bytes_have_their_settings() -> None:
    many = zipped({str(number): "" for number in range(11)})
    assert fails(many, max_archive_entries=10) is FailureCode.ARCHIVE_TOO_LARGE
    assert facts(extract(many, max_archive_entries=11))["entries"] == 11
    tar = tarred({str(number): b"" for number in range(11)})
    findings = extract(tar, TAR, max_archive_entries=10)
    assert facts(findings)["entries"] == 10
    assert "DOCSTORE_MAX_ARCHIVE_ENTRIES" in warnings(findings)["truncated"]
    data = zipped({"a.txt": "x" * 60, "b.txt": "y" * 60, "c.txt": "z"})
    findings = extract(data, max_unpacked_bytes=100)
    assert findings.text == "a.txt\n" + "x" * 60 + "\n\nb.txt\n\nc.txt"
    assert facts(findings)["entries"] == 3
    assert "DOCSTORE_MAX_UNPACKED_BYTES" in warnings(findings)["truncated"]


def test_it_stops_when_the_text_is_long_enough() -> None:
    data = zipped({f"{number}.txt": "é" * 100 for number in range(10)})
    findings = extract(data, max_text_characters=150)
    assert len(findings.text or "") == 150
    assert "DOCSTORE_MAX_TEXT_CHARACTERS" in warnings(findings)["truncated"]


def test_without_a_sniffer_members_are_listed_alone() -> None:
    data = zipped({"a.txt": "alpha"})
    subject = Subject(name=FileName("f"), media_type=MediaType(ZIP), size=len(data))
    findings = ArchiveProcessor(ProcessorOptions()).extract(io.BytesIO(data), subject)
    assert findings.text == "a.txt"


@pytest.mark.parametrize("kind", [ZIP, GZIP, TAR, "application/x-xz", SEVEN_ZIP])
def test_noise_is_corrupt(kind: str) -> None:
    assert fails(b"no archive at all, " * 100, kind) is FailureCode.CORRUPT


def test_of_a_7z_that_cannot_be_listed_no_number_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is not the same as zero entries."""
    data = encrypted_7z()
    findings = extract(data, SEVEN_ZIP)
    assert findings.facts["archive"] is None
    assert "password" in warnings(findings)["encrypted"]
    monkeypatch.setattr(seven_zip, "MAX_SIZE", len(data) - 1)
    findings = extract(data, SEVEN_ZIP)
    assert findings.facts["archive"] is None
    assert "not unpacked" in warnings(findings)["partial"]


def test_zip_files_that_overlap_are_a_bomb() -> None:
    inner = zipped({"a": bytes(10 * MIB)})
    with zipfile.ZipFile(io.BytesIO(inner)) as file:
        [info] = file.infolist()
    central = inner.index(b"PK\x01\x02")
    entry = inner[central : inner.index(b"PK\x05\x06")]
    directory = entry * 20
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 20, 20, len(directory), central, 0)
    assert info.file_size == 10 * MIB
    assert fails(inner[:central] + directory + end) is FailureCode.ARCHIVE_TOO_LARGE


def test_the_beginning_of_a_long_log_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "MAX_MEMBER", 100_000)
    log = b"".join(b"line %d of the log\n" % number for number in range(20_000))
    findings = extract(gzip.compress(log), GZIP, "log.gz")
    assert (findings.text or "").startswith("log\nline 0 of the log\nline 1 of")
    assert "100000 bytes" in warnings(findings)["partial"]
    assert extract(zipped({"log": log})).text == "log"


def test_it_stops_in_time_to_give_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "PART_OF_TIME", -1.0)
    findings = extract(zipped({"a.txt": "alpha"}))
    assert facts(findings)["entries"] == 1
    assert findings.text == "a.txt"
    assert "DOCSTORE_PROCESS_SECONDS" in warnings(findings)["partial"]
