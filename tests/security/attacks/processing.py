"""3.7: parsers that a file has taken over. Each runs as for users, in the jail.

What files do by themselves is in `security.bombs`; what the jail denies, in its own tests.
"""

import asyncio
from typing import Any, Final

from security.attack import Answers, Table
from security.hostile import BODIES, Devours, Hostile, Segfaults, Sleeps, Spins
from security.samples import PNG
from security.stand import Stand
from security.wire import resident

rows = Table()

MEBIBYTE: Final = 1024**2


async def processed(stand: Stand, name: str, data: bytes) -> dict[str, Any]:
    return await stand.process(await stand.upload(data, name))


async def fails(stand: Stand, name: str, data: bytes, code: str) -> Answers:
    """It ends as `failed`, with that code; and the worker goes on with another file."""
    view, good = await asyncio.gather(
        processed(stand, name, data), processed(stand, "good.png", PNG)
    )
    assert (view["status"], view["error"] and view["error"]["code"]) == ("failed", code), view
    assert good["status"] == "processed", good
    answer = await stand.ask("GET", f"/files/{view['id']}")
    assert answer.json()["jobs"][0]["status"] == "failed"
    content = await stand.ask("GET", view["links"]["content"])
    assert content.content == data
    return answer


def attacks_the_parser(id: str, sent: str, code: str, kind: type[Hostile]) -> None:
    @rows.act(id, sent, 200)
    async def act(stand: Stand) -> Answers:
        name, data = BODIES[kind]
        before = resident()
        answer = await fails(stand, name, data, code)
        assert resident() - before < 50 * MEBIBYTE
        return answer


attacks_the_parser("B22", "a parser that is killed by a signal", "crashed", Segfaults)
attacks_the_parser("B23", "a parser that sleeps for ever", "timeout", Sleeps)
attacks_the_parser("B23", "a parser that computes for ever", "timeout", Spins)
attacks_the_parser("B24", "a parser that takes all memory", "memory", Devours)
