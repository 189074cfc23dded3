from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from docstore.application.again import again_when_stale
from docstore.application.auditing import Event, tell
from docstore.application.guarding import LoginGuard
from docstore.application.ports.passwords import Passwords
from docstore.application.ports.token_service import IssuedToken, TokenService
from docstore.application.ports.unit_of_work import Begin
from docstore.domain import names
from docstore.domain.errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    InvalidField,
    NotAuthenticated,
    NotFound,
    WrongPassword,
)
from docstore.domain.ids import UserId
from docstore.domain.user import User

MIN_PASSWORD: Final = 8  # characters
MAX_PASSWORD: Final = 256
MAX_EXTERNAL_ID: Final = 255  # characters

WRONG: Final = "wrong e-mail address or password"
"""One sentence for an unknown address, a wrong password and a disabled account."""


def check_password(password: str, field: str = "password") -> str:
    """The password as it is; InvalidField unless it has 8 to 256 characters of Unicode text."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise InvalidField((field, f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters"))
    if any("\ud800" <= c <= "\udfff" for c in password):
        raise InvalidField((field, "a lone surrogate"))
    return password


@dataclass(frozen=True, slots=True)
class Register:
    """A new account. AlreadyExists when the address is taken."""

    begin: Begin
    passwords: Passwords
    new_id: Callable[[], UUID]

    async def __call__(self, *, email: str, password: str) -> User:
        address = names.email(email)
        hashed = await self.passwords.hash(check_password(password))
        async with self.begin() as tx:
            user = User(
                id=UserId(self.new_id()),
                email=address,
                password_hash=hashed,
                created_at=await tx.now(),
            )
            try:
                await tx.users.add(user)
                await tx.commit()
            except AlreadyExists:
                raise AlreadyExists("that e-mail address is taken") from None
        tell(Event.ACCOUNT_MADE, user.id)
        return user


@dataclass(frozen=True, slots=True)
class SignUp:
    """Register as anybody may, while the operator allows it."""

    register: Register
    guard: LoginGuard
    is_open: bool

    async def __call__(self, *, email: str, password: str, address: str | None = None) -> User:
        """`address` is where the caller is: from one, only so many taken e-mail addresses can be
        found out. RateLimited beyond that."""
        if not self.is_open:
            raise Forbidden("registration is closed (DOCSTORE_REGISTRATION)")
        async with self.guard.registering(address):
            return await self.register(email=email, password=password)


@dataclass(frozen=True, slots=True)
class LogIn:
    """A token for the right password; the same NotAuthenticated, as late, for all else.

    RateLimited, whatever the password, after too many failures for that account or from
    `address`, which is where the caller is.
    """

    begin: Begin
    passwords: Passwords
    tokens: TokenService
    guard: LoginGuard

    async def __call__(
        self, *, email: str, password: str, address: str | None = None
    ) -> IssuedToken:
        async with self.guard.signing_in(email, address):
            user = await self._verified(email, password, address)
        tell(Event.SIGNED_IN, user.id, client=address)
        async with self.begin(read_only=True) as tx:
            now = await tx.now()
        return self.tokens.issue(user.id, token_version=user.token_version, now=now)

    async def _verified(self, email: str, password: str, address: str | None) -> User:
        user = await self._find(email)
        hashed = user.password_hash if user else None
        right = await self.passwords.verify(password[: MAX_PASSWORD + 1], hashed)
        if not right or user is None or user.is_disabled:
            tell(Event.SIGN_IN_FAILED, user.id if user else None, client=address)
            raise NotAuthenticated(WRONG)
        if hashed is not None and self.passwords.needs_rehash(hashed):
            user = await self._rehash(user, password)
        return user

    async def _find(self, email: str) -> User | None:
        try:
            address = names.email(email)
            async with self.begin(read_only=True) as tx:
                return await tx.users.by_email(address)
        except (InvalidField, NotFound):
            return None

    async def _rehash(self, user: User, password: str) -> User:
        rehashed = user.rehashed(await self.passwords.hash(password))
        try:
            async with self.begin() as tx:
                await tx.users.update(rehashed)
                await tx.commit()
        except Conflict:
            return user  # next time
        return rehashed


@dataclass(frozen=True, slots=True)
class Authenticate:
    """The user that a token speaks for; NotAuthenticated when it speaks for nobody any more."""

    begin: Begin
    tokens: TokenService

    async def __call__(self, token: str) -> User:
        async with self.begin(read_only=True) as tx:
            claims = self.tokens.verify(token, now=await tx.now())
            try:
                user = await tx.users.get(claims.user_id)
            except NotFound:
                raise NotAuthenticated("the account is gone") from None
        if user.is_disabled or user.token_version != claims.token_version:
            raise NotAuthenticated("the token is not valid any more")
        return user


@dataclass(frozen=True, slots=True)
class Confirm:
    """WrongPassword unless it is the user's own, said once more by who is signed in.

    The only place where a signed-in user's password is compared. Failures count as those to sign
    in do: RateLimited.
    """

    passwords: Passwords
    guard: LoginGuard

    async def __call__(self, user: User, password: str, address: str | None = None) -> None:
        async with self.guard.confirming(user, address):
            if not await self.passwords.verify(password[: MAX_PASSWORD + 1], user.password_hash):
                tell(Event.WRONG_PASSWORD, user.id, client=address)
                raise WrongPassword("that is not the password of this account")


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """A new password for who knows the old one; older tokens end.

    StaleVersion when the account has changed since `user` was read, as by the same call.
    """

    begin: Begin
    passwords: Passwords
    confirm: Confirm

    async def __call__(self, user: User, *, old: str, new: str, address: str | None = None) -> User:
        check_password(new, "new")
        await self.confirm(user, old, address)
        changed = user.with_password(await self.passwords.hash(new))
        async with self.begin() as tx:
            await tx.users.update(changed)
            await tx.commit()
        tell(Event.PASSWORD_CHANGED, user.id, client=address)
        return changed


@dataclass(frozen=True, slots=True)
class CloseAccount:
    """Delete one's own account, with its files and jobs, for who knows its password."""

    confirm: Confirm
    delete: Callable[[UserId], Awaitable[None]]

    async def __call__(self, user: User, *, password: str, address: str | None = None) -> None:
        await self.confirm(user, password, address)
        await self.delete(user.id)


@dataclass(frozen=True, slots=True)
class Ensure:
    """The user whom an embedding program knows as `external_id`, made at first sight."""

    begin: Begin
    new_id: Callable[[], UUID]

    async def __call__(self, external_id: str) -> User:
        if not 1 <= len(external_id) <= MAX_EXTERNAL_ID or "\x00" in external_id:
            raise InvalidField(("external_id", f"1 to {MAX_EXTERNAL_ID} characters, no NUL"))
        try:
            return await self._add(external_id)
        except AlreadyExists:
            return await self._get(external_id)

    async def _get(self, external_id: str) -> User:
        async with self.begin(read_only=True) as tx:
            return await tx.users.by_external_id(external_id)

    async def _add(self, external_id: str) -> User:
        async with self.begin() as tx:
            try:
                return await tx.users.by_external_id(external_id)
            except NotFound:
                now = await tx.now()
            user = User(id=UserId(self.new_id()), external_id=external_id, created_at=now)
            await tx.users.add(user)
            await tx.commit()
        tell(Event.ACCOUNT_MADE, user.id)
        return user


@dataclass(frozen=True, slots=True)
class ListUsers:
    """Every account, in the order of creation. For the operator."""

    begin: Begin

    async def __call__(self) -> Sequence[User]:
        async with self.begin(read_only=True) as tx:
            return await tx.users.all()


@dataclass(frozen=True, slots=True)
class FindUser:
    """The account with that e-mail address, or NotFound. For the operator."""

    begin: Begin

    async def __call__(self, email: str) -> User:
        async with self.begin(read_only=True) as tx:
            return await tx.users.by_email(names.email(email))


@dataclass(frozen=True, slots=True)
class SetDisabled:
    """Lock an account out, or let it in again. Tokens of a disabled account end at once."""

    begin: Begin

    async def __call__(self, user_id: UserId, *, disabled: bool) -> User:
        return await again_when_stale(lambda: self._try(user_id, disabled), f"user {user_id}")

    async def _try(self, user_id: UserId, disabled: bool) -> User:
        async with self.begin() as tx:
            user = await tx.users.get(user_id)
            if user.is_disabled != disabled:
                user = user.disable(await tx.now()) if disabled else user.enable()
                await tx.users.update(user)
                await tx.commit()
                tell(Event.ACCOUNT_DISABLED if disabled else Event.ACCOUNT_ENABLED, user.id)
        return user


@dataclass(frozen=True, slots=True)
class SetPassword:
    """A new password, set by the operator; older tokens end."""

    begin: Begin
    passwords: Passwords

    async def __call__(self, user_id: UserId, password: str) -> User:
        hashed = await self.passwords.hash(check_password(password))
        user = await again_when_stale(lambda: self._try(user_id, hashed), f"user {user_id}")
        tell(Event.PASSWORD_SET, user.id)
        return user

    async def _try(self, user_id: UserId, hashed: str) -> User:
        async with self.begin() as tx:
            user = (await tx.users.get(user_id)).with_password(hashed)
            await tx.users.update(user)
            await tx.commit()
        return user
