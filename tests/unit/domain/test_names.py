import unicodedata
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.domain.errors import InvalidField
from docstore.domain.names import MAX_NAME, OCTET_STREAM, email, file_name, media_type

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=300)  # surrogates too
NASTY = st.text(
    st.sampled_from("a./\\ \x00\n\u202e\u200b\ufeff\u200d\ud800\u0301e\u0958"), max_size=12
)


@given(sent=ANY_TEXT | NASTY)
def test_a_name_is_never_a_path_and_never_surprising(sent: str) -> None:
    try:
        name = file_name(sent)
    except InvalidField:
        return
    assert 1 <= len(name) <= MAX_NAME
    assert not set(name) & set("/\\")
    assert name.strip(".")
    assert name.strip() == name
    assert unicodedata.is_normalized("NFC", name)
    assert not {unicodedata.category(c) for c in name} & {"Cc", "Cs", "Zl", "Zp"}
    assert not set(name) & set("\u200b\u200e\u200f\u202a\u202e\u2066\u2069\ufeff")
    name.encode()


@given(sent=ANY_TEXT | NASTY)
def test_a_name_names_itself(sent: str) -> None:
    try:
        name = file_name(sent)
    except InvalidField:
        return
    assert file_name(name) == name


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\x", "x"),
        ("/etc/passwd", "passwd"),
        ("C:\\x", "x"),
        ("\\\\srv\\x", "x"),
        ("file:///etc/passwd", "passwd"),
        ("file:///", "file:"),
        ("folder/", "folder"),
        ("a\x00.png", "a.png"),
        ("a%00.png", "a%00.png"),
        ("\x1b[31mred\t.png\r\n", "[31mred.png"),
        ("\u202egpj.exe", "gpj.exe"),
        ("a\u2066\u200b\ufeffb", "ab"),
        ("a\u2028b", "ab"),
        ("a\ud800b", "ab"),
        ("\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.txt",) * 2,
        ("\U0001f469\u200d\U0001f680.png",) * 2,
        ("x" * 255,) * 2,
        ("\u00e9" * 255,) * 2,
        ("e\u0301" * 255, "\u00e9" * 255),
        *((name, name) for name in ("CON", "NUL.txt", "a:b", "a.", ".htaccess", "-rf", "~$x")),
        ("re\u0301sume\u0301.pdf", "r\u00e9sum\u00e9.pdf"),
        ("r\u00e9sum\u00e9.pdf",) * 2,
        *((name, name) for name in ("{{7*7}}", "$(id)", "=HYPERLINK(1)", "<script>.png")),
        ("  padded .txt ", "padded .txt"),
    ],
    ids=ascii,
)
def test_what_is_kept_of_a_name(sent: str, kept: str) -> None:
    assert file_name(sent) == kept


@pytest.mark.parametrize(
    "sent",
    [
        *(
            "",
            ".",
            "..",
            "....",
            "/",
            "a/..",
            "a/ /",
            " ",
            ". .",
            "\x00",
            "\u202e",
            "\u200d",
            ".\u200c.",
        ),
        *("x" * 256, "x" * 5000, "\u0958" * 128),
    ],
    ids=lambda sent: ascii(sent[:8]),
)
def test_what_is_no_name(sent: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        file_name(sent, "new_name")
    assert [field for field, _ in refusal.value.problems] == ["new_name"]


@pytest.mark.parametrize(
    "sent",
    [
        "admin@x.org",
        "ADMIN@X.org",
        " admin@x.org\n",
        "\uff41dmin@x.org",
        "admin\uff20x.org",
        "admin@x\uff0eorg",
        "\u00a0admin@x.org",
    ],
    ids=ascii,
)
def test_one_mailbox_is_one_account(sent: str) -> None:
    assert email(sent) == "admin@x.org"


@pytest.mark.parametrize("sent", ["a@b", "a.b+c@sub.example.org", "o'hara@x.ie", "a@" + "b" * 63])
def test_addresses(sent: str) -> None:
    assert email(sent) == sent


@pytest.mark.parametrize(
    "sent",
    [
        *("", "@", "a", "a@", "@b", "a@b@c", "a b@c", "a@b c", "a@-b", "a@b-", "a@.b", "a@b..c"),
        *(
            "a\x00@b",
            "a@b\x00",
            "a@b\r\nBcc: c@d",
            "\u00e9@b",
            "a@\u00e9.org",
            "a@b\u202e",
            "\ud800@b",
        ),
        *("a@" + "b" * 64, "a" * 255 + "@b", "x" * 10**6 + "@" + "y" * 10**6),
    ],
    ids=lambda sent: ascii(sent[:12]),
)
def test_what_is_no_address(sent: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        email(sent)
    assert [field for field, _ in refusal.value.problems] == ["email"]


@given(sent=ANY_TEXT | st.emails() | st.uuids().map(UUID.__str__))
def test_an_address_names_itself(sent: str) -> None:
    try:
        address = email(sent)
    except InvalidField:
        return
    assert email(address) == address == address.lower()
    assert address.isascii()


@pytest.mark.parametrize(
    ("sent", "essence"),
    [
        ("text/plain", "text/plain"),
        ("Text/HTML; Charset=utf-8", "text/html"),
        (" image/svg+xml ;x", "image/svg+xml"),
        ("application/x-php", "application/x-php"),
        *((sent, OCTET_STREAM) for sent in (None, "", ";", "text", "text/", "/plain", "a/b/c")),
        *((sent, OCTET_STREAM) for sent in ("a/b\r\nX: y", "a/b c", "\u00e9/b", "*/*", "a/b,c/d")),
        ("evil/" + "x" * 5000, OCTET_STREAM),
    ],
    ids=lambda sent: ascii((sent or "")[:16]),
)
def test_media_types(sent: str | None, essence: str) -> None:
    assert media_type(sent) == essence


@given(sent=ANY_TEXT)
def test_a_media_type_is_safe_in_a_header(sent: str) -> None:
    essence = media_type(sent)
    assert media_type(essence) == essence
    assert essence.isascii()
    assert essence.isprintable()
    assert " " not in essence
