import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.domain.file import Details
from docstore.domain.searching import composed, folded, said_of, searchable, spans, words_of
from docstore.testing import a_file

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("STRASSE", "straße"),
        ("É", "e\u0301"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("ﬁn", "FIN"),
        ("İ", "i\u0307"),
    ],
)
def test_what_folds_to_the_same(one: str, other: str) -> None:
    assert folded(one) == folded(other)


def test_words_are_told_once_each() -> None:
    assert words_of(" b\tA\n\u3000B a ") == ("b", "a")
    assert words_of(" \n") == ()


def test_what_is_searched() -> None:
    details = Details(title="Title", description="", tags=("One tag", "2"))
    file = a_file(original_filename="Name.TXT", details=details)
    assert said_of(file) == ["Name.TXT", "Title", "One tag", "2"]
    assert searchable(file) == "name.txt\ntitle\none tag\n2"


@pytest.mark.parametrize(
    ("text", "words", "marked"),
    [
        ("a Lamp, a lamp", ["lamp"], "a [Lamp], a [lamp]"),
        ("Große", ["ss"], "Gro[ß]e"),
        ("Große", ["gross", "se"], "[Große]"),
        ("aaa", ["aa"], "[aa]a"),
        ("abc", ["ab", "bc"], "[abc]"),
        ("ŉ İx", ["x"], "ŉ İ[x]"),
        ("abc", ["d"], "abc"),
    ],
)
def test_where_words_stand(text: str, words: list[str], marked: str) -> None:
    for start, end in reversed(spans(text, words)):
        text = f"{text[:start]}[{text[start:end]}]{text[end:]}"
    assert text == marked


@given(TEXTS, st.lists(TEXTS.map(folded).filter(bool), max_size=3))
def test_spans_are_apart_in_order_and_hold_a_word(text: str, words: list[str]) -> None:
    text = composed(text)
    end = 0
    for first, last in spans(text, words):
        assert end <= first < last
        assert any(word in text[first:last].casefold() for word in words)
        end = last
    assert end <= len(text)


@given(TEXTS.filter(lambda text: not text.isspace()), TEXTS, TEXTS)
def test_every_word_of_a_text_is_found_in_it(text: str, before: str, after: str) -> None:
    whole = f"{before}\n{text}\n{after}"
    for word in words_of(unicodedata.normalize("NFD", text)):
        assert word in folded(whole)
        assert spans(composed(whole), [word])
