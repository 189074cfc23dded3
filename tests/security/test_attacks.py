"""Every row of the catalogue is made, and judged."""

import logging
from pathlib import Path

import httpx
import pytest

from security.attack import Attack, judge, judge_log, judge_remains
from security.catalogue import IN_PROCESS, IN_THE_JAIL, ON_A_SOCKET
from security.stand import Stand, opened

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]


async def made(attack: Attack, stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    before = stand.remains()
    caplog.clear()
    with caplog.at_level(logging.DEBUG):
        answers = await attack.act(stand)
    sent = [answers] if isinstance(answers, httpx.Response) else answers
    judge_log(judge(attack, sent), caplog.records)
    judge_remains(sent, before, stand)


@pytest.mark.parametrize("attack", [row for row in IN_PROCESS if not row.settings], ids=str)
async def test_an_attack(attack: Attack, shared: Stand, caplog: pytest.LogCaptureFixture) -> None:
    await made(attack, shared, caplog)


@pytest.mark.parametrize("attack", [row for row in IN_PROCESS if row.settings], ids=str)
async def test_an_attack_under_its_own_settings(
    attack: Attack, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(tmp_path / "data", **attack.settings) as stand:
        await made(attack, stand, caplog)


@pytest.mark.parametrize("attack", [row for row in ON_A_SOCKET if not row.settings], ids=str)
async def test_an_attack_on_a_server(
    attack: Attack, server: Stand, caplog: pytest.LogCaptureFixture
) -> None:
    await made(attack, server, caplog)


@pytest.mark.parametrize("attack", IN_THE_JAIL, ids=str)
async def test_an_attack_on_a_parser(
    attack: Attack, jailed: Stand, caplog: pytest.LogCaptureFixture
) -> None:
    await made(attack, jailed, caplog)
