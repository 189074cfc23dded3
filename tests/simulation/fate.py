"""What befalls whole processes and the clock, at random moments between any two steps."""

import asyncio
from typing import TYPE_CHECKING, Final

from simulation.plan import Fault
from simulation.roles import WORKER, Role

if TYPE_CHECKING:
    from simulation.world import World

JUMP: Final = 3600.0  # seconds, from the right time, either way


async def rule(world: "World") -> None:
    """Strike now and then, until cancelled."""
    chance = world.plan.chance("fate")
    blows = [fault for fault in BLOWS if fault in world.plan.faults]
    while blows:
        await asyncio.sleep(chance.expovariate(world.plan.intensity / 25))
        role = chance.choice(world.roles)
        if role.process.is_up:
            BLOWS[chance.choice(blows)](world, role, chance.random())


def _kill(world: "World", role: Role, luck: float) -> None:
    world.kill(role.process, "between two steps")


def _freeze(world: "World", role: Role, luck: float) -> None:
    process = role.process
    seconds = 35 + 65 * luck if role.kind is WORKER else 20 * luck
    world.note(f"{process.name} freezes for {seconds:.1f} s")
    process.is_frozen = True
    world.loop.call_later(seconds, world.loop.revive, process)


def _jump(world: "World", role: Role, luck: float) -> None:
    world.set_clock(JUMP * (2 * luck - 1))


def _stop(world: "World", role: Role, luck: float) -> None:
    if role.kind is WORKER and not role.stop.is_set():
        world.note(f"{role.process.name} is asked to stop")
        role.stop.set()
        world.loop.create_task(_replace_once_stopped(world, role))  # the loop keeps it


async def _replace_once_stopped(world: "World", role: Role) -> None:
    process = role.process
    await role.has_stopped.wait()
    if role.process is process and not process.is_dead:
        world.replace(role)


BLOWS: Final = {
    Fault.CRASH: _kill,
    Fault.FREEZE: _freeze,
    Fault.CLOCK: _jump,
    Fault.STOP: _stop,
}
