import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.domain import keys
from docstore.domain.ids import FileId

IDS = st.uuids().map(FileId)
GENERATIONS = st.integers(1, 10**6)
NAMES = st.sampled_from(["original", "text", "thumbnail", "preview", "resized"])
STORABLE = re.compile(r"(staging|files)/[a-z0-9/._-]+")
ONE = FileId(UUID(int=1))


@given(file_id=IDS, generation=GENERATIONS, name=NAMES)
def test_every_key_can_be_stored_and_knows_its_file(
    file_id: FileId, generation: int, name: str
) -> None:
    made = (keys.staging_key(file_id), keys.artefact_key(file_id, generation, name))
    for key in made:
        assert STORABLE.fullmatch(key)
        assert len(key) <= 512
        assert keys.file_of(key) == file_id
        assert key.startswith(keys.prefixes(file_id))


@given(one=IDS, other=IDS, generation=GENERATIONS)
def test_no_file_reaches_into_another(one: FileId, other: FileId, generation: int) -> None:
    made = (keys.staging_key(other), keys.original_key(other, generation))
    assert any(key.startswith(keys.prefixes(one)) for key in made) is (one == other)


@given(file_id=IDS, one=GENERATIONS, other=GENERATIONS, name=NAMES)
def test_no_generation_writes_over_another(
    file_id: FileId, one: int, other: int, name: str
) -> None:
    same = keys.artefact_key(file_id, one, name) == keys.artefact_key(file_id, other, name)
    assert same is (one == other)


@given(key=st.text("stagingfiles0123456789abcdef-/.", max_size=60))
def test_what_docstore_never_made_belongs_to_nobody(key: str) -> None:
    assert keys.file_of(key) is None


@pytest.mark.parametrize(
    "key",
    [
        "",
        "staging/",
        f"{ONE}",
        f"other/{ONE}",
        f"/staging/{ONE}",
        f"staging//{ONE}",
        f"staging/{ONE.hex}",
        f"staging/{{{ONE}}}",
        f"staging/urn:uuid:{ONE}",
        f"staging/{str(FileId(UUID(int=0xABC))).upper()}",
        f"staging/{ONE}.tmp",
    ],
)
def test_an_id_has_one_spelling(key: str) -> None:
    assert keys.file_of(key) is None


def test_no_key_is_another_ones_folder() -> None:
    made = [keys.staging_key(ONE), keys.original_key(ONE, 1), keys.text_key(ONE, 1)]
    made += [keys.original_key(ONE, 11), keys.artefact_key(ONE, 1, "thumbnail")]
    assert not [(a, b) for a in made for b in made if b.startswith(f"{a}/")]
