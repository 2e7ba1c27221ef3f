"""Accounts of SOAP clients: how a password is kept, and how Basic and UsernameToken are checked.

Step 3 of the walk, for callers that Jupyter's identity does not know. Passwords are argon2 hashes; a
verified one is remembered for five minutes as a keyed hash, so that polling does not cost 64 MiB each
time. PasswordDigest needs the password itself: kept encrypted, its key in a 0600 file outside the store.
Sources: OASIS Web Services Security UsernameToken Profile 1.1, RFC 7617.
"""

from __future__ import annotations

import hmac
import os
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import argon2
from cryptography.fernet import Fernet, InvalidToken

from oseo_lab.encoding.soap import password_digest
from oseo_lab.model.errors import NotAuthenticated, ValidationError
from oseo_lab.ports import Account, OrderStore

__all__ = ["KEY_FILE", "Credentials", "make_account", "read_key"]

#: Name of the key file in the data directory.
KEY_FILE = "keys/digest"
#: Longest nonce that is kept, bytes.
NONCE_BYTES = 64
#: How far ``Created`` may lie from our clock, and how long a verified password is remembered.
FRESH = timedelta(minutes=5)
REMEMBERED = 1000
#: What a check costs: 64 MiB and about a tenth of a second. `oseo_lab.web.state` lets two run at once.
_HASHER = argon2.PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)


def make_account(
    name: str, password: str, *, owner: str | None = None, digest: bool = False, key_file: Path
) -> Account:
    """Return a new account, ready for the store.

    Parameters
    ----------
    name : str
        What the client calls itself: 1 to 255 printable characters, no colon (HTTP Basic).
    password : str
        Its password; not kept as it is.
    owner : str, optional
        Whose orders it sees; the name if not given.
    digest : bool
        Whether PasswordDigest is allowed, for which the password is kept encrypted.
    key_file : Path
        Where the key for that lies; made (0600) if absent.

    Raises
    ------
    ValidationError
        If name or password cannot be used.
    """
    if not 1 <= len(name) <= 255 or ":" in name or not name.isprintable():
        raise ValidationError(
            f"{name[:300]!r} cannot be an account's name: 1 to 255 printable characters, no colon",
            locator="name",
        )
    if not password:
        raise ValidationError("an empty password is refused", locator="password")
    secret = Fernet(read_key(key_file, create=True)).encrypt(password.encode()) if digest else None
    return Account(
        name=name,
        owner=owner or name,
        password_hash=_HASHER.hash(password),
        digest_secret=secret,
        created=datetime.now(UTC),
    )


def read_key(path: Path, *, create: bool = False) -> bytes:
    """Return the key of the digest secrets; make it, for this user alone, where ``create`` says so."""
    if create:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_bytes()
        with os.fdopen(handle, "wb") as file:
            file.write(Fernet.generate_key())
    return path.read_bytes()


class Credentials:
    """Checks what callers prove themselves with.

    Parameters
    ----------
    store : OrderStore
        Where the accounts are.
    key_file : Path
        The key of digest secrets; need not exist.
    now : callable, optional
        The clock, UTC.
    """

    def __init__(
        self, store: OrderStore, key_file: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._store = store
        self._key_file = key_file
        self._now = now
        self._remember_key = secrets.token_bytes(32)
        self._remembered: OrderedDict[bytes, tuple[str, float]] = OrderedDict()
        self._guard = threading.Lock()
        self._nobody = _HASHER.hash(secrets.token_hex(16))

    def remembered(self, name: str, password: str) -> str | None:
        """Return the owner if this very credential was verified lately and the account has not changed."""
        mark = self._mark(name, password)
        with self._guard:
            known = self._remembered.get(mark)
        if known is None or known[1] < time.monotonic():
            return None
        account = self._account(name)
        return account.owner if account and account.password_hash == known[0] else None

    def check_password(self, name: str, password: str) -> str:
        """Return the owner behind a name and password.

        An unknown or disabled account costs the same as a wrong password.

        Raises
        ------
        NotAuthenticated
            If they do not belong together.
        """
        account = self._account(name)
        matches = False
        try:
            matches = _HASHER.verify(account.password_hash if account else self._nobody, password)
        except argon2.exceptions.VerificationError:
            account = None
        if account is None or not matches:
            raise _refused()
        with self._guard:
            self._remembered[self._mark(name, password)] = (
                account.password_hash,
                time.monotonic() + FRESH.total_seconds(),
            )
            while len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
        return account.owner

    def check_digest(self, name: str, digest: str, nonce: bytes | None, created: str | None) -> str:
        """Return the owner behind a PasswordDigest: Base64(SHA-1(nonce + created + password)).

        Raises
        ------
        NotAuthenticated
            If it is not right, not fresh, or was used before.
        """
        if not nonce or len(nonce) > NONCE_BYTES or not created:
            raise _refused(f"a PasswordDigest needs a Nonce of 1 to {NONCE_BYTES} bytes and Created")
        made, now = _instant(created), self._now()
        if made is None or abs(now - made) > FRESH:
            raise _refused("Created must be within five minutes of this server's clock, in UTC")
        account = self._account(name)
        password = self._secret_of(account)
        expected = password_digest(nonce, created, password or "")
        right = hmac.compare_digest(expected.encode(), digest.strip().encode())
        if account is None or password is None or not right:
            raise _refused()
        keep_until = made + 2 * FRESH
        if not self._store.write(lambda work: work.accounts.use_nonce(nonce, made, keep_until)):
            raise _refused("this Nonce has been used before: make a new one for each message")
        return account.owner

    def _account(self, name: str) -> Account | None:
        with self._store.read() as snapshot:
            account = snapshot.accounts.get(name)
        return None if account is None or account.disabled else account

    def _secret_of(self, account: Account | None) -> str | None:
        if account is None or account.digest_secret is None:
            return None
        try:
            return Fernet(read_key(self._key_file)).decrypt(account.digest_secret).decode()
        except (OSError, InvalidToken) as lost:
            raise _refused(
                "this account's digest secret cannot be read any more; its operator must add it again"
            ) from lost

    def _mark(self, name: str, password: str) -> bytes:
        return hmac.digest(self._remember_key, f"{name}\0{password}".encode(), "sha256")


def _refused(text: str = "the account or its password is not right") -> NotAuthenticated:
    return NotAuthenticated(text, locator="identity_token")


def _instant(created: str) -> datetime | None:
    """Read a ``wsu:Created``; without a zone it is UTC."""
    try:
        instant = datetime.fromisoformat(created.strip())
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
