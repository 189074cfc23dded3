"""`docstore demo` as its user runs it, in a pipe."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from integration.servers import PROGRAM


def demo(*words: str | Path, folder: Path) -> "subprocess.CompletedProcess[str]":
    own = {name: value for name, value in os.environ.items() if "DOCSTORE_" not in name}
    return subprocess.run(
        [*PROGRAM, "demo", *map(str, words)],
        cwd=folder,
        env={**own, "TMPDIR": str(folder), "DOCSTORE_REGISTRATION": "closed"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )


def test_samples_of_many_kinds_go_in_and_come_out(tmp_path: Path) -> None:
    done = demo("--json", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert (report["ok"], report["data_dir"]) == (True, None)
    assert all(each["is_same"] and each["status"] == "processed" for each in report["files"])
    found: dict[str, Any] = {Path(each["path"]).name: each["file"] for each in report["files"]}
    for name in ("notes.txt", "notes.docx", "notes.odt", "notes.pdf", "report.eml", "notes.html"):
        assert "lamp was lit" in found[name]["extracted"]["text"]["preview"], name
    for name in ("log.csv", "log.xlsx", "log.json"):
        assert "Bonaventure" in found[name]["extracted"]["text"]["preview"], name
    jpeg = found["lighthouse.jpg"]
    assert (jpeg["extracted"]["image"]["width"], jpeg["media_type"]) == (1600, "image/jpeg")
    assert jpeg["extracted"]["image"]["exif"]
    assert {each["name"] for each in jpeg["renditions"]} == {"thumbnail", "preview", "resized"}
    assert list(tmp_path.iterdir()) == []


def test_files_of_ones_own_and_a_store_that_stays(tmp_path: Path) -> None:
    good, cut = tmp_path / "a\x1b[31m [b].txt", tmp_path / "cut.png"
    good.write_bytes(b"The lamp was lit at dusk.")
    cut.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01")
    data = tmp_path / "data"
    done = demo(good, cut, "--data-dir", data, folder=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert "\x1b" not in done.stdout
    assert "a[31m [b].txt: processed\n" in done.stdout.replace("\\x1b", "")
    assert "cut.png: failed\n" in done.stdout
    assert "corrupt" in done.stdout
    assert f"docstore serve --data-dir {data}" in done.stdout
    assert (data / "docstore.db").exists()


def test_a_server_that_does_not_start_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    done = demo("--json", "--data-dir", tmp_path / "data", folder=tmp_path)
    assert done.returncode == 2
    (tmp_path / ".env").write_text("DOCSTORE_WORKERS=many")
    done = demo("--json", folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("docstore: the demo failed: DOCSTORE_WORKERS: ")
