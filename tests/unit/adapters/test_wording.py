import pytest

from docstore.adapters.processors.wording import MAX_MESSAGE, discreet


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("cannot identify image file <_io.BufferedReader name=3>", "cannot identify image file"),
        ("bad object <PIL.X object at 0x7F00AA> in it", "bad object in it"),
        ("no such file: /usr/lib/python3/x.py, sorry", "no such file: , sorry"),
        ("at 0xdeadbeef", "at"),
        ("3 < 4\nand\t5", "3 4 and 5"),
        ("unpacks to more than 50 times its size", "unpacks to more than 50 times its size"),
        ("application/pdf and 1/2 stay", "application/pdf and 1/2 stay"),
    ],
)
def test_nothing_of_the_machine_is_told(said: str, told: str) -> None:
    assert discreet(said) == told


def test_a_message_has_an_end() -> None:
    assert len(discreet("x" * 5000)) == MAX_MESSAGE
