"""A filter of system calls as the kernel takes it: classic BPF over `struct seccomp_data`.

https://docs.kernel.org/userspace-api/seccomp_filter.html; the instructions: linux/bpf_common.h.
Each rule is a block of its own that every path leaves by a return, so that all jumps are short.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

ALLOW: Final = 0x7FFF0000
KILL_PROCESS: Final = 0x80000000
ERRNO: Final = 0x00050000  # with the number in its low half

Instruction: TypeAlias = tuple[int, int, int, int]  # code, jump if true, jump if false, operand

INSTRUCTION_SIZE: Final = struct.calcsize("=HBBI")  # bytes

_LOAD: Final = 0x20  # a word of seccomp_data into the accumulator
_RETURN: Final = 0x06
_NUMBER: Final = 0  # offsets in seccomp_data
_ARCHITECTURE: Final = 4
_ARGUMENTS: Final = 16


class Compare(IntEnum):
    """The accumulator with an operand."""

    EQUAL = 0x15
    AT_LEAST = 0x35
    ANY_BIT = 0x45


@dataclass(frozen=True, slots=True)
class Condition:
    """Of one argument of a call. The kernel takes most for 32 bits wide, and so does this."""

    argument: int
    compare: Compare
    values: Sequence[int]  # one of them has to compare
    wanted: bool = True
    is_pointer: bool = False  # 64 bits wide; the upper half must be 0

    def code(self, left: int) -> list[Instruction]:
        """Go on after it when it holds, else jump over `left` instructions that follow it."""
        low = _ARGUMENTS + 8 * self.argument
        code = [_load(low)]
        for rest, value in _counted_down(self.values):
            if self.wanted:
                code.append((self.compare, rest, 0 if rest else left, value))
            else:
                code.append((self.compare, left + rest, 0, value))
        if self.is_pointer:
            code = [_load(low + 4), (Compare.EQUAL, 0, left + len(code), 0), *code]
        return code


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of one system call: `verdict` when all conditions hold, else `otherwise`."""

    number: int
    verdict: int
    conditions: Sequence[Condition] = ()
    otherwise: int = KILL_PROCESS

    def code(self) -> list[Instruction]:
        end: list[Instruction] = [_return(self.verdict)]
        if self.conditions:
            end.append(_return(self.otherwise))
        body = list(end)
        for each in reversed(self.conditions):
            body = each.code(len(body) - 1) + body
        return [(Compare.EQUAL, 0, len(body), self.number), *body]


@dataclass(frozen=True, slots=True)
class From:
    """What becomes of all calls from that number on."""

    number: int
    verdict: int

    def code(self) -> list[Instruction]:
        return [(Compare.AT_LEAST, 0, 1, self.number), _return(self.verdict)]


def assemble(architecture: int, rules: Iterable[Rule | From], default: int) -> bytes:
    """The first rule that fits decides. Calls of any other architecture kill the process."""
    code = [
        _load(_ARCHITECTURE),
        (Compare.EQUAL, 1, 0, architecture),
        _return(KILL_PROCESS),
        _load(_NUMBER),
    ]
    for rule in rules:
        code += rule.code()
    code.append(_return(default))
    return b"".join(struct.pack("=HBBI", *each) for each in code)


def _counted_down(values: Sequence[int]) -> Iterable[tuple[int, int]]:
    return zip(reversed(range(len(values))), values, strict=True)


def _load(offset: int) -> Instruction:
    return (_LOAD, 0, 0, offset)


def _return(verdict: int) -> Instruction:
    return (_RETURN, 0, 0, verdict)
