"""Files that harm who reads them, among a hundred that do not, on a real server."""

import json
import re
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from PIL import Image

from integration.servers import Server, descendants, serving
from security.bombs import office, pdfs, pictures
from security.bombs.catalogue import Bomb, Lures, bombs

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("bombs")]

SECONDS: Final = "30"
"""That a parser gets: what the catalogue bounds by 30 s ends otherwise than as `timeout`."""
GOOD: Final = 100
SENDERS: Final = 4
SECRET: Final = "swordfish-4711"
ACCOUNT: Final = {"email": "alice@example.org", "password": "correct horse battery staple"}
UNCLEAN: Final = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\x80-\x9f\ud800-\udfff\ufffe\uffff]")
PILE: Final = re.compile("[\u0300-\u036f]{17}")

NOWHERE: Final = Lures("http://127.0.0.1:9", Path("/secret"), Path("/target"))
LABELS: Final = [str(each) for each in bombs(NOWHERE)]


@dataclass
class Seen:
    """All that a client can see of one file in the end."""

    view: Mapping[str, Any]
    text: str
    renditions: list[bytes]
    headers: Mapping[str, str]  # of the download
    is_same: bool  # as what was sent


@dataclass
class Aftermath:
    bombs: Mapping[str, Bomb]
    seen: dict[str, Seen] = field(default_factory=dict)
    good: list[Seen] = field(default_factory=list)
    before: list[int] = field(default_factory=list)  # processes
    after: list[int] = field(default_factory=list)
    was_called: bool = False
    lures: Lures = NOWHERE


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    folder = tmp_path_factory.mktemp("bombs")
    with (
        socket.create_server(("127.0.0.1", 0)) as trap,
        serving(folder / "data", workers="2", process_seconds=SECONDS, upload_rate="off") as server,
    ):
        trap.setblocking(False)
        host, port = trap.getsockname()
        lures = Lures(f"http://{host}:{port}", folder / "secret.txt", folder / "target.txt")
        lures.secret.write_text(SECRET)
        found = Aftermath({str(each): each for each in bombs(lures)}, lures=lures)
        with closing(_signed_in(server)) as client:
            _seen(client, *_sent(client, "first.txt", lambda: b"words"))  # the worker is up
            found.before = _processes(server)
            _send_all(client, found)
            found.after = _processes(server)
        found.was_called = _was_called(trap)
        yield found


def _signed_in(server: Server) -> httpx.Client:
    client = httpx.Client(base_url=server.url, timeout=90)
    client.post("/auth/register", json=ACCOUNT).raise_for_status()
    token = client.post("/auth/login", json=ACCOUNT).raise_for_status().json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    return client


def _processes(server: Server) -> list[int]:
    """The API, the worker, and the parent of all parsers."""
    return sorted(descendants(server.pid))


def _was_called(trap: socket.socket) -> bool:
    try:
        trap.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def _send_all(client: httpx.Client, found: Aftermath) -> None:
    """Bombs and good files in turn, several at once; then wait for each."""
    good = [*_good_files()]
    share = GOOD // len(good) + 1
    with ThreadPoolExecutor(SENDERS) as senders:
        bad = {
            label: senders.submit(_sent, client, bomb.name, bomb.make)
            for label, bomb in found.bombs.items()
        }
        fine = [
            senders.submit(_sent, client, name, lambda data=data: data)
            for name, data in (good * share)[:GOOD]
        ]
        found.seen.update({label: _seen(client, *each.result()) for label, each in bad.items()})
        found.good.extend(_seen(client, *each.result()) for each in fine)


def _good_files() -> Iterator[tuple[str, bytes]]:
    yield "good.txt", b"good words"
    yield "good.docx", office.docx("good words")
    yield "good.pdf", pdfs.spoken(pdfs.words("good words"))
    yield "good.jpg", pictures.encoded("JPEG", comment=b"good words")
    yield "good.html", b"<!doctype html><html><p>good words</p></html>"


def _sent(client: httpx.Client, name: str, make: Any) -> tuple[Mapping[str, Any], bytes]:
    data: bytes = make()
    answer = client.post("/files", params={"filename": name}, content=data)
    return answer.raise_for_status().json(), sha256(data).digest()


def _seen(client: httpx.Client, view: Mapping[str, Any], digest: bytes) -> Seen:
    place = f"/files/{view['id']}"
    for _ in range(10):
        view = client.get(place, params={"wait": 60}).raise_for_status().json()
        if view["status"] in ("processed", "failed"):
            break
    text = client.get(f"{place}/text")
    pictures = [client.get(each["href"]) for each in view["renditions"]]
    return Seen(
        view=view,
        text=text.text if text.status_code == 200 else "",
        renditions=[each.raise_for_status().content for each in pictures],
        headers=client.head(f"{place}/content").raise_for_status().headers,
        is_same=view["sha256"] == digest.hex(),
    )


@pytest.mark.parametrize("label", LABELS)
def test_a_bomb_ends_as_it_should(label: str, aftermath: Aftermath) -> None:
    bomb, seen = aftermath.bombs[label], aftermath.seen[label]
    view = seen.view
    ended = (view["status"], view["error"] and view["error"]["code"])
    if bomb.codes:
        assert ended in {("failed", code) for code in bomb.codes}, view
    else:
        assert ended == ("processed", None), view
    assert bomb.warning in (None, *(each["code"] for each in view["warnings"])), view
    assert bomb.says in seen.text
    assert bomb.media_type in (None, view["media_type"])
    assert bomb.pictures in (None, bool(view["renditions"])), view


@pytest.mark.parametrize("label", LABELS)
def test_what_is_shown_of_a_bomb_is_clean(label: str, aftermath: Aftermath) -> None:
    seen = aftermath.seen[label]
    shown = json.dumps(seen.view, ensure_ascii=False)
    for each in (seen.text, shown):
        assert not UNCLEAN.search(each)
        assert not PILE.search(each)
        assert SECRET not in each
    assert len(seen.text) <= 5 * 1024**2
    assert seen.is_same
    assert seen.headers["Content-Disposition"].startswith("attachment")
    assert seen.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("label", LABELS)
def test_no_message_tells_of_the_machine(label: str, aftermath: Aftermath) -> None:
    """Neither objects of Python, nor addresses in memory, nor paths."""
    view = aftermath.seen[label].view
    told = [each["message"] for each in view["warnings"]]
    told += [view["error"]["message"]] if view["error"] else []
    assert not [each for each in told if re.search("[<>]|0x|/(usr|tmp|home|proc)/", each)]


def test_a_crash_is_tried_thrice_at_most(aftermath: Aftermath) -> None:
    jobs = [seen.view["jobs"][0] for seen in aftermath.seen.values()]
    assert max(job["attempts"] for job in jobs) <= 3


def test_renditions_tell_nothing_of_the_original(aftermath: Aftermath) -> None:
    seen = aftermath.seen["B29 a JPEG that tells where it was taken"]
    assert "GPSLatitude" in seen.view["extracted"]["image"]["exif"]
    for data in seen.renditions:
        assert b"secret" not in data
        with Image.open(BytesIO(data)) as image:
            assert not image.getexif()
            assert not image.info.get("comment")


def test_a_hundred_good_files_beside_them_are_read(aftermath: Aftermath) -> None:
    assert len(aftermath.good) == GOOD
    assert [seen.view for seen in aftermath.good if seen.view["status"] != "processed"] == []
    assert [seen.view for seen in aftermath.good if "good words" not in seen.text] == []


def test_the_same_processes_serve_and_read_as_before(aftermath: Aftermath) -> None:
    """The API, the worker and the parent of its parsers: none died, none was left over."""
    assert aftermath.before == aftermath.after


def test_nothing_was_fetched_started_or_written(aftermath: Aftermath) -> None:
    assert not aftermath.was_called
    assert not aftermath.lures.target.exists()
