import sys

import pytest

from docstore.plugins import UnknownAdapter, connect


def test_a_scheme_that_nobody_offers_is_told_with_those_that_are() -> None:
    with pytest.raises(UnknownAdapter, match=r"queue: 'carrier' is not one of \[.*'memory'"):
        connect("queue", "carrier://pigeon")


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_a_library_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    for module in [name for name in sys.modules if name.startswith("docstore.adapters.queue.dr")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(UnknownAdapter, match=rf"queue: '{scheme}' needs redis; .*\[{scheme}\]"):
        connect("queue", f"{scheme}://host/1")
