"""What an attack is, and what must be true of every one that is refused."""

import logging
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from docstore.entrypoints.http.problems import PAGES
from security.stand import Headers, Remains, Stand

Answers = httpx.Response | Sequence[httpx.Response]
Act = Callable[[Stand], Awaitable[Answers]]

INSIDE: Final = re.compile(r"Traceback|\.py\b|sqlite|SELECT |INSERT |/tmp/|site-packages", re.I)
"""What no client should read of us."""


GUARDS: Final = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""The headers of every refusal."""
BELOW: Final = frozenset({400, 405, 408, 414, 431})
"""What the server may refuse in plain text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One row: `act` sends it, each answer has one of `statuses`; refusals leave nothing."""

    id: str
    sent: str
    statuses: frozenset[int]
    act: Act
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.id} {self.sent}"


class Table:
    """The attacks of one chapter, in the order they are written down."""

    def __init__(self) -> None:
        self._rows: list[Attack] = []

    def __iter__(self) -> Iterator[Attack]:
        return iter(self._rows)

    def ask(
        self,
        id: str,
        sent: str,
        statuses: int | Iterable[int],
        method: str,
        path: str,
        *,
        who: str = "alice",
        headers: Headers = (),
        settings: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> None:
        """A row that is a single request."""

        async def act(stand: Stand) -> Answers:
            return await stand.ask(method, path, who=who, headers=headers, **more)

        self._add(id, sent, statuses, act, settings)

    def act(
        self, id: str, sent: str, statuses: int | Iterable[int], **settings: Any
    ) -> Callable[[Act], Act]:
        """A row that is a function, which returns the answers that count."""

        def decorate(act: Act) -> Act:
            self._add(id, sent, statuses, act, settings)
            return act

        return decorate

    def _add(
        self,
        id: str,
        sent: str,
        statuses: int | Iterable[int],
        act: Act,
        settings: Mapping[str, Any] | None,
    ) -> None:
        allowed = frozenset([statuses] if isinstance(statuses, int) else statuses)
        row = Attack(id=id, sent=sent, statuses=allowed, act=act, settings=settings or {})
        self._rows.append(row)


def headers_of(answer: httpx.Response) -> Mapping[str, str]:
    """All but the one by which each answer is told from every other."""
    return {name: value for name, value in answer.headers.items() if name != "x-request-id"}


def a_problem(answer: httpx.Response) -> str:
    """Every rule for a refusal that one can see in it; its trace_id."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    assert {name: answer.headers.get(name) for name in GUARDS} == GUARDS
    assert not {"server", "x-powered-by"} & answer.headers.keys()
    problem = answer.json()
    assert problem["status"] == answer.status_code
    slug = problem["type"].rpartition("/problems/")[2]
    assert problem["title"] == PAGES[slug][0]
    assert isinstance(problem["detail"], str)
    assert re.fullmatch(r"[0-9a-f]{16,32}", problem["trace_id"])
    _headers_that_go_with(answer, problem)
    return str(problem["trace_id"])


def _headers_that_go_with(answer: httpx.Response, problem: Mapping[str, Any]) -> None:
    if answer.status_code == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    if answer.status_code in (429, 503):
        assert int(answer.headers["Retry-After"]) == problem["retry_after"] > 0


def judge(attack: Attack, answers: Sequence[httpx.Response]) -> Sequence[str]:
    """The trace_ids of those that were refused."""
    assert answers, "an attack without an answer proves nothing"
    for answer in answers:
        assert answer.status_code in attack.statuses, (answer.request.url, answer.text[:500])
    # Whoever asks with HEAD gets no body to read.
    refused = [a for a in answers if a.status_code >= 400 and a.request.method != "HEAD"]
    assert not [answer.text for answer in refused if INSIDE.search(answer.text)]
    return [a_problem(answer) for answer in refused if not _is_from_below(answer)]


def _is_from_below(answer: httpx.Response) -> bool:
    """Whether the server refused it, before there was a request for the application."""
    kind = answer.headers.get("Content-Type", "")
    return answer.status_code in BELOW and kind.startswith("text/plain")


def judge_remains(answers: Sequence[httpx.Response], before: Remains, stand: Stand) -> None:
    """When all was refused, there is what there was, and beside it what the attack prepared."""
    if all(answer.status_code >= 400 for answer in answers):
        after = stand.remains()
        assert before <= after, "something is gone"
        assert after <= before | stand.wanted, after - before - stand.wanted


def judge_log(traces: Iterable[str], records: Sequence[logging.LogRecord]) -> None:
    """One line for each refusal, on one line, and none that speaks of a bug."""
    ours = [record for record in records if record.name.startswith("docstore")]
    lines = [record.getMessage() for record in ours]
    found = Counter(vars(record).get("trace_id") for record in ours)
    assert [trace for trace in traces if found[trace] != 1] == [], lines
    assert not [r for r in records if r.exc_info], "a traceback"
    assert not [line for line in lines if "\n" in line or "\x1b" in line]
