import asyncio
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.entrypoints.tracing import current, of_request, traced

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


def given_by(*headers: tuple[str, str]) -> str:
    return of_request([(name.encode(), value.encode()) for name, value in headers])


@pytest.mark.parametrize(
    "header",
    [
        ("traceparent", PARENT),
        ("traceparent", PARENT.replace("00-", "01-", 1) + "-more"),
        ("x-request-id", TRACE),
        ("x-request-id", TRACE.upper()),
        ("x-request-id", "4bf92f35-77b3-4da6-a3ce-929d0e0e4736"),
    ],
)
def test_an_id_of_a_known_form_is_taken_over(header: tuple[str, str]) -> None:
    assert given_by(header) == TRACE


def test_a_traceparent_goes_before_a_request_id() -> None:
    assert given_by(("x-request-id", "0" * 31 + "1"), ("traceparent", PARENT)) == TRACE


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("traceparent", PARENT + "-more"),),  # version 00 has four fields
        (("traceparent", PARENT.replace("00-", "ff-", 1)),),
        (("traceparent", PARENT.replace(TRACE, "0" * 32)),),
        (("traceparent", PARENT.replace("00f067aa0ba902b7", "0" * 16)),),
        (("traceparent", PARENT.upper()),),
        (("traceparent", PARENT), ("traceparent", PARENT)),
        (("x-request-id", TRACE), ("x-request-id", TRACE)),
        (("x-request-id", "0" * 32),),
        (("x-request-id", "hunter2"),),
        (("x-request-id", f"{TRACE}\n"),),
        (("x-request-id", "x" * 100_000),),
    ],
)
def test_of_anything_else_a_new_one_is_made(headers: tuple[tuple[str, str], ...]) -> None:
    made = given_by(*headers)
    assert re.fullmatch("[0-9a-f]{32}", made)
    assert made != TRACE
    assert made != given_by(*headers)


@given(st.binary(max_size=60), st.sampled_from([b"traceparent", b"x-request-id"]))
def test_whatever_is_sent_it_is_32_hexadecimal_digits(value: bytes, name: bytes) -> None:
    assert re.fullmatch("[0-9a-f]{32}", of_request([(name, value)]))


def test_what_is_started_inside_is_of_the_same_trace() -> None:
    async def run() -> tuple[str, str, str]:
        with traced(TRACE):
            task = asyncio.create_task(asyncio.to_thread(current))
            with traced() as inner:
                assert current() == inner != TRACE
            inside = current()
        return await task, inside, current()

    assert asyncio.run(run()) == (TRACE, TRACE, "")
