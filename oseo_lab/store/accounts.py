"""SOAP clients' accounts and the nonces they have used."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from oseo_lab.ports import Account
from oseo_lab.store import tables
from oseo_lab.store.session import Session, Statement, insert_of
from oseo_lab.store.values import from_micros, micros

__all__ = ["Accounts"]


_a = tables.accounts.c
_n = tables.nonces.c
_COLUMNS = tuple(column.name for column in tables.accounts.columns)

_GET = Statement(sa.select(tables.accounts).where(_a.name == bindparam("name")), "name")
_LIST = Statement(sa.select(tables.accounts).order_by(_a.name))
_REMOVE = Statement(sa.delete(tables.accounts).where(_a.name == bindparam("name")), "name")
_ADD = Statement(insert_of(tables.accounts, _COLUMNS), *_COLUMNS)
_FIND_NONCE = Statement(sa.select(_n.keep_until).where(_n.nonce == bindparam("nonce")), "nonce")
_ADD_NONCE = Statement(insert_of(tables.nonces, ("nonce", "keep_until")), "nonce", "keep_until")
_FORGET_NONCES = Statement(
    sa.delete(tables.nonces).where(_n.keep_until < bindparam("before", type_=sa.BigInteger)), "before"
)


class Accounts:
    """`oseo_lab.ports.Accounts` on one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, name: str) -> Account | None:
        """Return one account."""
        row = self._session.one(_GET, (name,))
        return None if row is None else _account(row)

    def list(self) -> list[Account]:
        """Return all, by name."""
        return [_account(row) for row in self._session.all(_LIST)]

    def save(self, account: Account) -> None:
        """Insert or replace an account."""
        self._session.run(_REMOVE, (account.name,))
        self._session.run(_ADD, _row(account))

    def use_nonce(self, nonce: bytes, created: datetime, keep_until: datetime) -> bool:
        """Remember a nonce; False if it was used before. Forgets those whose time is over.

        Over means: by more than this nonce is to be kept, counted from its own ``created``, which is the
        client's clock and may be ahead of ours.
        """
        session = self._session
        if session.one(_FIND_NONCE, (nonce,)) is not None:
            return False
        session.run(_FORGET_NONCES, (micros(created - (keep_until - created)),))
        session.run(_ADD_NONCE, (nonce, micros(keep_until)))
        return True


def _row(account: Account) -> tuple[Any, ...]:
    """Return an account's columns, in the order of its table."""
    return (
        account.name,
        account.owner,
        account.password_hash,
        account.digest_secret,
        int(account.disabled),
        micros(account.created),
    )


def _account(row: Sequence[Any]) -> Account:
    """Return the account of a row of its table."""
    return Account(
        name=row[0],
        owner=row[1],
        password_hash=row[2],
        digest_secret=row[3],
        disabled=bool(row[4]),
        created=from_micros(row[5]),
    )
