import io
import struct
import wave
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import pytest
from mutagen.mp3 import MP3

from docstore.adapters.processors.media import MediaProcessor
from docstore.application.ports.processor import Findings, ProcessorOptions, Subject
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.findings import Json
from docstore.domain.names import FileName, MediaType
from docstore.testing import ProcessorContract

ID3: Any = import_module("mutagen.id3")  # its names come without types
MP3_TYPE, WAV, FLAC = "audio/mpeg", "audio/wav", "audio/flac"
FRAME = b"\xff\xfb\x90\x64" + bytes(413)  # MPEG 1 layer III, 128 kbit/s, 44.1 kHz: 1152 samples


def mp3(*frames: object) -> bytes:
    file = io.BytesIO(FRAME * 100)
    tagged: Any = MP3(file)  # type: ignore[no-untyped-call]
    tagged.add_tags()
    for frame in frames:
        tagged.tags.add(frame)
    file.seek(0)
    tagged.save(file)
    return file.getvalue()


def wav() -> bytes:
    with io.BytesIO() as body:
        with wave.open(body, "wb") as sound:
            sound.setparams((2, 2, 8000, 0, "NONE", "not compressed"))
            sound.writeframes(bytes(4 * 8000))
        return body.getvalue()


def flac(comments: Sequence[str]) -> bytes:
    numbers = (44100 << 44) | (1 << 41) | (15 << 36) | 88200  # rate, channels, bits, samples
    info = struct.pack(">HH6xQ16x", 4096, 4096, numbers)
    texts = b"".join(struct.pack("<L", len(each.encode())) + each.encode() for each in comments)
    block = struct.pack("<LL", 0, len(comments)) + texts
    sizes = struct.pack(">L", len(info)), struct.pack(">L", 0x84000000 | len(block))
    return b"fLaC" + sizes[0] + info + sizes[1] + block


def extract(data: bytes, kind: str) -> Findings:
    subject = Subject(name=FileName("file"), media_type=MediaType(kind), size=len(data))
    return MediaProcessor(ProcessorOptions()).extract(io.BytesIO(data), subject)


def facts(findings: Findings) -> dict[str, Json]:
    found = findings.facts["media"]
    assert isinstance(found, dict)
    return found


class TestMediaProcessorOnMp3(ProcessorContract):
    processor_class = MediaProcessor

    @pytest.fixture
    def good(self) -> tuple[bytes, MediaType]:
        return mp3(ID3.TIT2(encoding=3, text=["Song"])), MediaType(MP3_TYPE)


class TestMediaProcessorOnFlac(ProcessorContract):
    processor_class = MediaProcessor

    @pytest.fixture
    def good(self) -> tuple[bytes, MediaType]:
        return flac(["TITLE=Song"]), MediaType(FLAC)


class TestMediaProcessorOnWav(ProcessorContract):
    processor_class = MediaProcessor

    @pytest.fixture
    def good(self) -> tuple[bytes, MediaType]:
        return wav(), MediaType(WAV)


def test_a_sound_without_tags() -> None:
    findings = extract(wav(), WAV)
    assert findings.text is None
    assert facts(findings) == {
        "duration_s": 1.0, "codec": "WAVE", "bitrate": 256000, "sample_rate": 8000, "channels": 2,
        "tags": {},
    }  # fmt: skip


def test_tags_have_the_same_names_whatever_the_format() -> None:
    picture = ID3.APIC(encoding=3, mime="image/png", type=3, desc="Front", data=b"secret pixels")
    tagged = mp3(
        ID3.TIT2(encoding=3, text=["Wörter"]),
        ID3.TPE1(encoding=3, text=["One", "Two"]),
        ID3.TALB(encoding=3, text=["Album"]),
        ID3.TRCK(encoding=3, text=["3/12"]),
        ID3.COMM(encoding=3, lang="eng", desc="", text=["A remark"]),
        ID3.TXXX(encoding=3, desc="Mood", text=["merry"]),
        picture,
    )
    findings = extract(tagged, MP3_TYPE)
    assert facts(findings)["tags"] == {
        "title": "Wörter", "artist": ["One", "Two"], "album": "Album", "tracknumber": "3/12",
        "comment": "A remark", "mood": "merry",
    }  # fmt: skip
    assert facts(findings)["duration_s"] == pytest.approx(2.6, abs=0.1)
    assert set((findings.text or "").split("\n")) == {
        "Wörter", "One", "Two", "Album", "3/12", "A remark"
    }  # fmt: skip
    told = facts(extract(flac(["TITLE=Wörter", "artist=One", "Artist=Two"]), FLAC))
    assert told["tags"] == {"title": "Wörter", "artist": ["One", "Two"]}
    assert told["duration_s"] == 2.0


def test_pictures_and_plumbing_are_no_tags() -> None:
    told = facts(extract(flac(["METADATA_BLOCK_PICTURE=AAAA", "TITLE="]), FLAC))
    assert told["tags"] == {}


@pytest.mark.parametrize("kind", [MP3_TYPE, WAV, FLAC, "audio/mp4", "audio/ogg", "video/mp4"])
def test_noise_is_corrupt(kind: str) -> None:
    with pytest.raises(ProcessingFailed) as caught:
        extract(b"\x00noise" * 1000, kind)
    assert caught.value.failure is FailureCode.CORRUPT
