"""3.1: who asks."""

import asyncio
import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import httpx

from docstore.domain.ids import UserId
from security.attack import Answers, Table
from security.stand import ABSENT, PASSWORD, Stand, encoded, signed
from security.wire import resident

rows = Table()

ME = "/auth/me"


async def present(stand: Stand, *tokens: str, who: str = "anon") -> Sequence[httpx.Response]:
    """What each token is worth."""
    return [
        await stand.ask("GET", ME, who=who, headers=[("Authorization", f"Bearer {token}")])
        for token in tokens
    ]


def closed_routes(document: str) -> list[tuple[str, str]]:
    """Every method and path that needs a token."""
    return [
        (method.upper(), path.replace("{id}", ABSENT).replace("{name}", "preview"))
        for path, methods in json.loads(document)["paths"].items()
        for method, operation in methods.items()
        if operation.get("security") != []
    ]


NO_TOKENS: Sequence[Sequence[str]] = [
    [], ["Bearer"], ["Bearer "], ["Bearer a b"], ["Basic YTpi"], ["Bearer x", "Bearer y"],
]  # fmt: skip


@rows.act("A1", "every closed route, with no token or what is none", 401)
async def no_token(stand: Stand) -> Answers:
    routes = closed_routes((await stand.client("anon").get("/openapi.json")).text)
    assert ("POST", "/upload") in routes
    return [
        await stand.ask(
            method,
            path,
            who="anon",
            headers=[("Authorization", value) for value in values],
            content=b"{",
        )
        for method, path in routes
        for values in NO_TOKENS
    ]


@rows.act("A3", "alg none in three spellings", 401)
async def without_algorithm(stand: Stand) -> Answers:
    _, body, signature = stand.token().split(".")
    heads = [
        encoded(json.dumps({"alg": a, "typ": "JWT"}).encode()) for a in ("none", "None", "nOnE")
    ]
    return await present(
        stand, *(f"{head}.{body}.{end}" for head in heads for end in ("", signature))
    )


@rows.act("A4", "HS512 with the right key; RS256 signed as HMAC", 401)
async def other_algorithms(stand: Stand) -> Answers:
    claims = json.loads(_payload(stand.token()))
    headers = ({"alg": a, "typ": "JWT"} for a in ("HS512", "HS384", "RS256", "ES256", "hs256"))
    public = signed(claims, {"alg": "RS256", "typ": "JWT"}, "-----BEGIN PUBLIC KEY-----")
    return await present(stand, public, *(signed(claims, header) for header in headers))


@rows.act("A5", "a payload edited under its signature; the signature of another token", 401)
async def edited(stand: Stand) -> Answers:
    mine, other = stand.token("bob").split("."), stand.token("alice").split(".")
    return await present(
        stand, ".".join([mine[0], other[1], mine[2]]), ".".join([*mine[:2], other[2]])
    )


@rows.act("A6", "crit and b64 in the header", 401)
async def critical(stand: Stand) -> Answers:
    claims = json.loads(_payload(stand.token()))
    usual: dict[str, Any] = {"alg": "HS256", "typ": "JWT"}
    extra: list[dict[str, Any]] = [
        {"crit": ["x"], "x": 1}, {"crit": ["b64"], "b64": False}, {"b64": False}, {"crit": []},
    ]  # fmt: skip
    return await present(stand, *(signed(claims, {**usual, **more}) for more in extra))


@rows.act("A7", "kid, jku, x5u and jwk that lead elsewhere", 401)
async def leading_elsewhere(stand: Stand) -> Answers:
    claims = json.loads(_payload(stand.token()))
    kids = ["../../dev/null", "' OR 1=1", "k" * 5000]
    extra: list[dict[str, Any]] = [{"kid": kid} for kid in kids]
    extra += [{name: "http://192.0.2.9/keys"} for name in ("jku", "x5u")]
    extra += [{"jwk": {"kty": "oct", "k": "AAAA"}}]
    usual = {"alg": "HS256", "typ": "JWT"}
    return await present(stand, *(signed(claims, {**usual, **more}) for more in extra))


@rows.act("A8", "a token without one of its claims", 401)
async def lacking(stand: Stand) -> Answers:
    names = ("exp", "iat", "sub", "aud", "iss", "jti", "typ", "ver")
    tokens = [stand.token("alice", **{name: None}) for name in names]
    return await present(stand, *tokens)


@rows.act("A9", "ended 31 s ago; ends in ten years", 401)
async def out_of_time(stand: Stand) -> Answers:
    return await present(
        stand, stand.token(exp=_now() - 31), stand.token(exp=_now() + 10 * 365 * 86400)
    )


@rows.act("A10", "not valid for another ten minutes", 401)
async def from_the_future(stand: Stand) -> Answers:
    (fine,) = await present(stand, stand.token(iat=_now() + 5))
    assert fine.status_code == 200
    return await present(
        stand, stand.token(nbf=_now() + 600), stand.token(iat=_now() + 600, exp=_now() + 900)
    )


@rows.act("A11", "claims of other kinds, rightly signed", 401)
async def wrong_kinds(stand: Stand) -> Answers:
    times: list[Any] = ["123", True, 1e308, float("nan"), [], -1, 10**30]
    others: list[tuple[str, Any]] = [("sub", 1), ("sub", []), ("ver", "1"), ("jti", 1), ("jti", "")]
    tokens = [stand.token(**{name: value}) for name in ("exp", "iat") for value in times]
    tokens += [stand.token(**{name: value}) for name, value in others]
    return await present(stand, *tokens, signed([]), signed("x"), signed(b"{"), signed(b"\xff"))


@rows.act("A12", "for another audience, from another issuer, of another type", 401)
async def meant_for_others(stand: Stand) -> Answers:
    changes: list[dict[str, Any]] = [
        {"aud": "other"}, {"aud": ["docstore", "other"]}, {"iss": "other"}, {"typ": "refresh"},
    ]  # fmt: skip
    return await present(stand, *(stand.token(**change) for change in changes))


@rows.act("A14", "the token of a disabled and of a deleted account", 401)
async def of_nobody(stand: Stand) -> Answers:
    accounts = stand.docstore.accounts
    client = await stand.join("carol")
    user = UserId(UUID(stand.ids["carol"]))
    await accounts.set_disabled(user, disabled=True)
    disabled = await client.get(ME)
    await accounts.set_disabled(user, disabled=False)
    assert (await client.get(ME)).status_code == 200
    await accounts.delete(user)
    return [disabled, await client.get(ME)]


@rows.act("A15", "a token with another spelling", 401)
async def spelt_otherwise(stand: Stand) -> Answers:
    token = stand.token()
    head, body, end = token.split(".")
    return await present(
        stand, token + "=", token + "==", f"{head}.{body}=.{end}", f"{head}=.{body}.{end}"
    )


@rows.act("A16", "an older token after a change of the password", 401)
async def outdated(stand: Stand) -> Answers:
    client = await stand.join("carol")
    changed = {"old": PASSWORD, "new": "another battery staple"}
    assert (await client.post("/auth/password", json=changed)).status_code == 204
    return await client.get(ME)


@rows.act("A17", "a token of 1 MiB", 401)
async def long(stand: Stand) -> Answers:
    return await present(stand, "a" * 1024**2, stand.token(jti="j" * 1024**2))


@rows.act("A18", "a payload nested 50,000 deep, wrongly signed", 401)
async def deep(stand: Stand) -> Answers:
    nested = b"[" * 3000 + b"]" * 3000  # as deep as a token is long
    return await present(
        stand, signed(b"[" * 50_000 + b"]" * 50_000, key="x" * 32), signed(nested, key="x" * 32),
        signed(nested), signed({}, nested),
    )  # fmt: skip


@rows.act("A20", "unknown addresses and wrong passwords", 401)
async def who_is_known(stand: Stand) -> Answers:
    known = (await stand.client().get(ME)).json()["email"]
    answers = [
        await stand.client("anon").post("/auth/login", json={"email": email, "password": "x" * 12})
        for email in (known, "nobody@example.org", "no address", known.upper())
        for _ in range(25)
    ]
    bodies = [{**answer.json(), "trace_id": ""} for answer in answers]
    assert all(body == bodies[0] for body in bodies)
    assert len({tuple(answer.headers) for answer in answers}) == 1
    return answers


@rows.act("A21", "wrong passwords for one account, from one address and from many", 429,
          login_rate="10/minute")  # fmt: skip
async def guessing(stand: Stand) -> Answers:
    email = (await stand.client().get(ME)).json()["email"]
    wrong = {"email": email, "password": "x" * 12}
    tries = []
    for number in range(12):
        async with stand.stranger(f"198.51.100.{number}") as client:
            tries.append(await client.post("/auth/login", json=wrong))
    assert [answer.status_code for answer in tries[:10]] == [401] * 10
    others = []
    async with stand.stranger("203.0.113.1") as client:
        for number in range(12):
            other = {"email": f"{number}@example.org", "password": "x" * 12}
            others.append(await client.post("/auth/login", json=other))
    assert [answer.status_code for answer in others[:10]] == [401] * 10
    assert int(tries[10].headers["Retry-After"]) <= 15 * 60
    return [*tries[10:], *others[10:]]


@rows.act("A22", "passwords of 1 MiB, 10 MB, 257 and 7 characters", 422)
async def endless_passwords(stand: Stand) -> Answers:
    sizes = (1024**2, 10_000_000, 257, 7)
    return [
        await stand.client("anon").post(
            "/auth/register", json={"email": f"{n}@example.org", "password": "x" * size}
        )
        for n, size in enumerate(sizes)
    ]


@rows.act("A23", "passwords that differ where some would not look", 401, argon2=True)
async def exact_passwords(stand: Stand) -> Answers:
    answers = []
    for number, (right, wrongs) in enumerate(EXACT.items()):
        email = f"a23-{number}@example.org"
        with stand.preparing():
            made = await stand.client("anon").post(
                "/auth/register", json={"email": email, "password": right}
            )
        assert made.status_code == 201
        for password in (right, *wrongs):
            credentials = {"email": email, "password": password}
            answers.append(await stand.client("anon").post("/auth/login", json=credentials))
            assert answers[-1].is_success is (password == right)
    return [answer for answer in answers if not answer.is_success]


EXACT: Final = {
    "x" * 80 + "a": ["x" * 80 + "b", "x" * 80, "x" * 72],
    "before\x00after": ["before", "before\x00", "before\x00other"],
    "  spaces around  ": ["spaces around", "  spaces around"],
    "\U0001f511 two caf\u00e9s": [
        "\U0001f511 two cafe\u0301s",
        "\U0001f511 two cafes",
        "two caf\u00e9s",
    ],
    "y" * 256: ["y" * 255, "y" * 257, "y" * 255 + "z"],
}


@rows.act("A26", "40 sign-ins at once", (200, 401), argon2=True)
async def crowd(stand: Stand) -> Answers:
    me = (await stand.client().get(ME)).json()["email"]
    before = resident()
    signing_in = [
        asyncio.create_task(
            stand.client("anon").post(
                "/auth/login", json={"email": me, "password": PASSWORD + "x" * (number % 2)}
            )
        )
        for number in range(40)
    ]
    healthy = [await stand.client("anon").get("/health") for _ in range(20)]
    assert not all(task.done() for task in signing_in)
    answers = await asyncio.gather(*signing_in)
    assert [answer.status_code for answer in answers] == [200, 401] * 20
    assert resident() - before < 100 * 1024**2
    return [*healthy, *answers]


@rows.act("A24", "one address in several spellings", 409)
async def same_address(stand: Stand) -> Answers:
    post = stand.client("anon").post
    first = {"email": "admin@x.example", "password": PASSWORD}
    with stand.preparing():
        assert (await post("/auth/register", json=first)).status_code == 201
    spellings = ("ADMIN@x.example", "\uff41dmin@x.example", "admin@X.EXAMPLE ", "admin@x.example")
    return [
        await post("/auth/register", json={"email": spelling, "password": PASSWORD})
        for spelling in spellings
    ]


rows.ask("A24", "an address with a NUL", 422, "POST", "/auth/register", who="anon",
         json={"email": "admin\x00@x.example", "password": PASSWORD})  # fmt: skip


@rows.act("A25", "a known address, again and again", (409, 429), login_rate="10/minute")
async def asking_who_is_known(stand: Stand) -> Answers:
    taken = {"email": (await stand.client().get(ME)).json()["email"], "password": PASSWORD}
    async with stand.stranger("203.0.113.2") as client:
        answers = [await client.post("/auth/register", json=taken) for _ in range(12)]
    assert answers[-1].status_code == 429
    return answers


@rows.act("A27", "fields that nobody may set", 422)
async def presumptuous(stand: Stand) -> Answers:
    extra: list[dict[str, Any]] = [
        {"is_admin": True}, {"id": ABSENT}, {"quota": 10**12}, {"token_version": 0},
    ]  # fmt: skip
    return [
        await stand.client("anon").post(
            "/auth/register",
            json={"email": "eve@example.org", "password": PASSWORD, **more},
        )
        for more in extra
    ]


@rows.act("A29", "the token in the query", 401)
async def in_the_query(stand: Stand) -> Answers:
    return await stand.ask("GET", f"{ME}?access_token={stand.token()}", who="anon")


@rows.act("A30", "the token in a cookie, from another site", 401)
async def in_a_cookie(stand: Stand) -> Answers:
    headers = [
        ("Cookie", f"{name}={stand.token()}")
        for name in ("access_token", "token", "session", "Authorization")
    ]
    return [
        await stand.ask(
            "POST", "/files?filename=a", who="anon", content=b"x",
            headers=[cookie, ("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")],
        )
        for cookie in headers
    ]  # fmt: skip


@rows.act("A30", "a sign-in as a page of another site could send it", 415)
async def cross_site(stand: Stand) -> Answers:
    known = (await stand.client().get(ME)).json()["email"]
    body = json.dumps({"email": known, "password": PASSWORD}).encode()
    kinds = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b")
    return [
        await stand.ask(
            "POST", "/auth/login", who="anon", content=body,
            headers=[("Content-Type", kind), ("Origin", "https://evil.example")],
        )
        for kind in kinds
    ]  # fmt: skip


def _payload(token: str) -> bytes:
    body = token.split(".")[1]
    return urlsafe_b64decode(body + "=" * (-len(body) % 4))


def _now() -> int:
    return int(time.time())
