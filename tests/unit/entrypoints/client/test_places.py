import httpx
import pytest

from docstore.entrypoints.client.places import of_file


@pytest.mark.parametrize("file_id", ["../auth/me", "..", ".", "", "a/content", "a?b", "a#b", "%2e"])
def test_an_id_stays_one_part_of_the_path(file_id: str) -> None:
    client = httpx.Client(base_url="http://there/api")
    with client:
        url = client.build_request("GET", of_file(file_id, "text")).url
    parts = url.raw_path.split(b"/")
    assert parts[:3] == [b"", b"api", b"files"]
    assert (len(parts), parts[4]) == (5, b"text")
    assert parts[3] not in (b"", b".", b"..")


def test_an_id_is_left_as_it_is() -> None:
    assert of_file("01a2154f-2505-724e-91f6-b5b256a4ebe3") == (
        "/files/01a2154f-2505-724e-91f6-b5b256a4ebe3"
    )
