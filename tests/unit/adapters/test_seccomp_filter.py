"""The filter of system calls, run by a small interpreter: also for machines that are not here."""

import errno
import struct
from collections.abc import Sequence
from typing import get_args

import pytest

from docstore.adapters.processors.bpf import (
    ALLOW,
    ERRNO,
    KILL_PROCESS,
    Compare,
    Condition,
    From,
    Rule,
    assemble,
)
from docstore.adapters.processors.syscalls import (
    ARCHITECTURES,
    EXISTS,
    REFUSED,
    UNKNOWN,
    Machine,
    rules,
)

PID = 4711
ALL_MACHINES: Sequence[Machine] = get_args(Machine)

each_machine = pytest.mark.parametrize("machine", ALL_MACHINES)


def verdict(machine: Machine, number: int, *arguments: int, architecture: int = 0) -> int:
    own = ARCHITECTURES[machine]
    words = [*arguments, 0, 0, 0, 0, 0, 0][:6]
    data = struct.pack("<iIQ6Q", number, architecture or own, 0, *words)
    return run(assemble(own, rules(machine, PID), REFUSED), data)


def run(program: bytes, data: bytes) -> int:
    """As the kernel does: bpf(4) of the BSDs tells how."""
    code = list(struct.iter_unpack("=HBBI", program))
    accumulator, at = 0, 0
    while True:
        operation, then, otherwise, operand = code[at]
        at += 1
        match operation:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", data, operand)
            case 0x06:
                return int(operand)
            case Compare.EQUAL:
                at += then if accumulator == operand else otherwise
            case Compare.AT_LEAST:
                at += then if accumulator >= operand else otherwise
            case Compare.ANY_BIT:
                at += then if accumulator & operand else otherwise
            case _:
                raise AssertionError(operation)


@each_machine
def test_another_architecture_is_death(machine: Machine) -> None:
    for other in (0x40000003, *set(ARCHITECTURES.values()) - {ARCHITECTURES[machine]}):
        assert verdict(machine, 0, architecture=other) == KILL_PROCESS


@each_machine
def test_the_other_table_is_death_and_what_came_later_is_unknown(machine: Machine) -> None:
    assert verdict(machine, 0x40000000) == KILL_PROCESS
    assert verdict(machine, 0xFFFFFFFF - 2**32) == KILL_PROCESS
    assert verdict(machine, 451) == UNKNOWN == ERRNO | errno.ENOSYS
    assert verdict(machine, 435) == UNKNOWN  # clone3


DANGEROUS = {  # by machine: x86_64, aarch64
    "open": (2, None), "openat": (257, 56), "openat2": (437, 437), "creat": (85, None),
    "open_by_handle_at": (304, 265), "execve": (59, 221), "execveat": (322, 281),
    "fork": (57, None), "vfork": (58, None), "socket": (41, 198), "connect": (42, 203),
    "bind": (49, 200), "sendto": (44, 206), "sendmsg": (46, 211), "recvmsg": (47, 212),
    "accept": (43, 202), "ptrace": (101, 117), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "kill": (62, 129), "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138), "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438), "mount": (165, 40), "umount2": (166, 39), "chroot": (161, 51),
    "pivot_root": (155, 41), "unshare": (272, 97), "setns": (308, 268), "keyctl": (250, 219),
    "add_key": (248, 217), "bpf": (321, 280), "perf_event_open": (298, 241),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "userfaultfd": (323, 282),
    "memfd_create": (319, 279), "shmget": (29, 194), "msgget": (68, 186), "mq_open": (240, 180),
    "unlinkat": (263, 35), "renameat2": (316, 276), "linkat": (265, 37), "symlinkat": (266, 36),
    "fchmod": (91, 52), "fchmodat": (268, 53), "fchown": (93, 55), "truncate": (76, 45),
    "ftruncate": (77, 46), "setrlimit": (160, 164), "setuid": (105, 146), "capset": (126, 91),
    "setpriority": (141, 140), "sched_setscheduler": (144, 119), "init_module": (175, 105),
    "kexec_load": (246, 104), "reboot": (169, 142), "inotify_init1": (294, 26),
    "name_to_handle_at": (303, 264), "seccomp": (317, 277), "syslog": (103, 116),
}  # fmt: skip


@each_machine
@pytest.mark.parametrize("name", DANGEROUS)
def test_what_leads_out_is_refused(machine: Machine, name: str) -> None:
    number = DANGEROUS[name][ALL_MACHINES.index(machine)]
    if number is not None:
        assert verdict(machine, number) == REFUSED


@each_machine
def test_threads_may_be_started_and_processes_not(machine: Machine) -> None:
    clone = {"x86_64": 56, "aarch64": 220}[machine]
    thread = 0x3D0F00  # as the C library starts one
    assert verdict(machine, clone, thread) == ALLOW
    assert verdict(machine, clone, 17) == REFUSED  # SIGCHLD alone: a fork
    assert verdict(machine, clone, 0x4111) == REFUSED  # CLONE_VM, CLONE_VFORK
    assert verdict(machine, clone, thread | 0x40000000) == REFUSED  # CLONE_NEWNET
    assert verdict(machine, clone, thread | 0x80) == REFUSED  # CLONE_NEWTIME


@each_machine
def test_signals_go_to_oneself(machine: Machine) -> None:
    tgkill = {"x86_64": 234, "aarch64": 131}[machine]
    assert verdict(machine, tgkill, PID, PID, 6) == ALLOW
    kill = {"x86_64": 62, "aarch64": 129}[machine]
    assert verdict(machine, kill, PID, 11) == ALLOW
    for other in (PID - 1, 0, 0xFFFFFFFF, 1):
        assert verdict(machine, tgkill, other, PID, 9) == REFUSED
        assert verdict(machine, kill, other, 9) == REFUSED


@each_machine
def test_limits_may_be_asked_and_not_set(machine: Machine) -> None:
    prlimit = {"x86_64": 302, "aarch64": 261}[machine]
    assert verdict(machine, prlimit, 0, 3, 0, 1) == ALLOW
    assert verdict(machine, prlimit, 0, 3, 4096, 0) == REFUSED
    for upper in range(1, 451):  # a jump too far would take it for a call's number
        assert verdict(machine, prlimit, 0, 3, upper << 32, 0) == REFUSED
    assert verdict(machine, prlimit, 1, 3, 0, 1) == REFUSED


@each_machine
@pytest.mark.parametrize(
    ("numbers", "argument", "allowed", "refused"),
    [
        ((72, 25), 1, [0, 1, 2, 3, 1030], [4, 8, 10, 1033]),  # fcntl: no SETFL, SETOWN, SETSIG
        ((16, 29), 1, [0x5401, 0x5451], [0x5412, 0x5452, 0x8901]),  # ioctl: no TIOCSTI, FIOASYNC
        ((157, 167), 0, [15, 39], [1, 4, 22, 38]),  # prctl: no PDEATHSIG, DUMPABLE
        ((53, 199), 0, [1], [2, 10, 16]),  # socketpair: AF_UNIX alone
        ((28, 233), 2, [4, 8, 14], [100, 101]),  # madvise: no HWPOISON
        ((262, 79), 3, [0x1000], [0, 0x100]),  # newfstatat: of a descriptor
    ],
)
def test_arguments_decide(
    machine: Machine,
    numbers: Sequence[int],
    argument: int,
    allowed: Sequence[int],
    refused: Sequence[int],
) -> None:
    number = numbers[ALL_MACHINES.index(machine)]
    before = [7] * argument
    assert {verdict(machine, number, *before, each) for each in allowed} == {ALLOW}
    assert {verdict(machine, number, *before, each) for each in refused} == {REFUSED}


def test_none_of_several_values_may_be_given() -> None:
    none = Condition(0, Compare.EQUAL, [1, 2, 3], wanted=False)
    program = assemble(ARCHITECTURES["x86_64"], [Rule(9, ALLOW, [none], REFUSED), From(0, 0)], 0)
    for argument, expected in {0: ALLOW, 1: REFUSED, 2: REFUSED, 3: REFUSED, 4: ALLOW}.items():
        data = struct.pack("<iIQ6Q", 9, ARCHITECTURES["x86_64"], 0, argument, 0, 0, 0, 0, 0)
        assert run(program, data) == expected


def test_a_folder_that_would_be_made_is_said_to_exist() -> None:
    assert verdict("x86_64", 83) == verdict("x86_64", 258) == verdict("aarch64", 34) == EXISTS
