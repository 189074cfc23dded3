import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.domain.extensions import MISMATCH, PROMISED, mismatch
from docstore.domain.names import FileName, MediaType


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.pdf", "image/png"),
        ("a.PNG", "application/x-msdownload"),
        ("a.pdf.exe", "application/pdf"),
        ("a.docx", "application/zip"),
        (".png", "text/plain"),
    ],
)
def test_a_name_that_promises_another_type_is_told_of(name: str, found: str) -> None:
    noticed = mismatch(FileName(name), MediaType(found))
    assert noticed is not None
    assert noticed.code == MISMATCH
    assert found in noticed.message


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.pdf", "application/pdf"),
        ("a.jpeg", "image/jpeg"),
        ("a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("png", "text/plain"),
        ("a.txt", "text/html"),
        ("a", "image/png"),
        ("a.", "image/png"),
        ("a.pdf.", "image/png"),
    ],
)
def test_other_names_promise_nothing_or_keep_it(name: str, found: str) -> None:
    assert mismatch(FileName(name), MediaType(found)) is None


@given(name=st.text(max_size=20), found=st.sampled_from(sorted(sum(PROMISED.values(), ()))))
def test_only_the_end_of_a_name_is_looked_at(name: str, found: str) -> None:
    told = mismatch(FileName(f"{name}.pdf"), MediaType(found))
    assert (told is None) is (found == "application/pdf")
