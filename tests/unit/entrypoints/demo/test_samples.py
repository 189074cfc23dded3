import json
import zipfile
from email import message_from_bytes
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from docstore.entrypoints.demo.samples import LINES, write_samples


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("samples")
    assert sorted(write_samples(made)) == sorted(made.iterdir())
    return made


def test_there_is_one_of_each_kind(folder: Path) -> None:
    kinds = {path.suffix for path in folder.iterdir()}
    assert kinds == {
        ".txt", ".md", ".csv", ".json", ".html", ".eml",
        ".pdf", ".docx", ".xlsx", ".odt", ".png", ".jpg",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["notes.docx", "log.xlsx", "notes.odt"])
def test_office_files_are_zips_of_xml(folder: Path, name: str) -> None:
    with zipfile.ZipFile(folder / name) as archive:
        assert archive.testzip() is None
        for member in archive.namelist():
            if member != "mimetype":
                ElementTree.fromstring(archive.read(member))


def test_an_opendocument_begins_with_its_type(folder: Path) -> None:
    data = (folder / "notes.odt").read_bytes()
    assert data[30:].startswith(b"mimetypeapplication/vnd.oasis.opendocument.text")


def test_the_offsets_of_the_pdf_are_right(folder: Path) -> None:
    data = (folder / "notes.pdf").read_bytes()
    table = int(data.rsplit(b"startxref\n", 1)[1].split()[0])
    assert data[table:].startswith(b"xref\n0 6\n")
    entries = data[table:].split(b"\n")[3:8]
    for number, entry in enumerate(entries, 1):
        assert data[int(entry.split()[0]) :].startswith(b"%d 0 obj" % number)


@pytest.mark.parametrize("name", ["lighthouse.png", "lighthouse.jpg"])
def test_pictures_are_whole(folder: Path, name: str) -> None:
    with Image.open(folder / name) as picture:
        picture.load()
        assert (picture.format == "JPEG") == bool(picture.getexif())


def test_the_rest_reads_as_what_it_is(folder: Path) -> None:
    assert json.loads((folder / "log.json").read_text())["log"][0]["ship"] == "Aurora"
    mail = message_from_bytes((folder / "report.eml").read_bytes())
    assert LINES[0] in mail.get_payload()
