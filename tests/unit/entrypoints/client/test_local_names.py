import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.entrypoints.client.local_names import MAX_BYTES, local_name


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("résumé.pdf", "résumé.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\report.doc", "report.doc"),
        ("..", "id"),
        ("", "id"),
        ("/", "id"),
        (".bashrc", "_bashrc"),
        ("...x", "_x"),
        ("a\x00b\x1b[2J.txt", "ab[2J.txt"),
        ("\u202egnp.exe", "gnp.exe"),
        ("con.txt", "_con.txt"),
        ("NUL", "_NUL"),
        ("a:b?.txt", "a_b_.txt"),
        ("name. ", "name"),
        ("-rf", "-rf"),
    ],
)
def test_what_a_server_says_becomes_a_harmless_name(told: str, kept: str) -> None:
    assert local_name(told, "id") == kept


def test_a_long_name_keeps_its_ending() -> None:
    name = local_name("é" * 255 + ".jpeg", "id")
    assert name.endswith("é.jpeg")
    assert MAX_BYTES - 2 < len(name.encode()) <= MAX_BYTES


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_whatever_it_says_the_name_is_one_part_of_a_path(told: str) -> None:
    name = local_name(told, "id")
    assert name not in ("", ".", "..")
    assert not name.startswith(".")
    assert "/" not in name
    assert "\x00" not in name
    assert len(name.encode()) <= MAX_BYTES
