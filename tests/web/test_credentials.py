"""Accounts and what they prove themselves with."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import argon2
import pytest

from oseo_lab.encoding.soap import password_digest
from oseo_lab.model.errors import NotAuthenticated, ValidationError
from oseo_lab.ports import Account
from oseo_lab.store import open_store
from oseo_lab.web.credentials import Credentials, make_account, read_key


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "digest"


@pytest.fixture
def store(tmp_path: Path):
    opened = open_store(f"sqlite:///{tmp_path / 'orders.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture
def credentials(store, key_file: Path) -> Credentials:
    return Credentials(store, key_file)


def add(store, account: Account) -> Account:
    store.write(lambda work: work.accounts.save(account))
    return account


def test_an_account_shows_no_password(key_file: Path):
    account = make_account("zoe", "open sesame", digest=True, key_file=key_file)
    assert "sesame" not in repr(account)
    assert account.owner == "zoe" and account.password_hash.startswith("$argon2id$v=19$m=65536,")
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600


def test_without_digest_there_is_no_recoverable_secret(key_file: Path):
    assert make_account("zoe", "open sesame", key_file=key_file).digest_secret is None
    assert not key_file.exists()


def test_the_key_is_made_once(key_file: Path):
    assert read_key(key_file, create=True) == read_key(key_file, create=True) == read_key(key_file)


@pytest.mark.parametrize("name", ["", "a:b", "a\nb", "x" * 256])
def test_a_name_that_cannot_travel_is_refused(key_file: Path, name: str):
    with pytest.raises(ValidationError, match="account"):
        make_account(name, "secret", key_file=key_file)


def test_an_empty_password_is_refused(key_file: Path):
    with pytest.raises(ValidationError):
        make_account("zoe", "", key_file=key_file)


def test_a_verified_password_is_remembered_until_it_changes(store, credentials: Credentials, key_file: Path):
    account = add(store, make_account("zoe", "open sesame", owner="team", key_file=key_file))
    assert credentials.remembered("zoe", "open sesame") is None
    assert credentials.check_password("zoe", "open sesame") == "team"
    assert credentials.remembered("zoe", "open sesame") == "team"
    assert credentials.remembered("zoe", "open") is None
    add(store, replace(account, disabled=True))
    assert credentials.remembered("zoe", "open sesame") is None
    add(store, make_account("zoe", "another", owner="team", key_file=key_file))
    assert credentials.remembered("zoe", "open sesame") is None


def test_an_unknown_name_costs_a_check_too(credentials: Credentials):
    with (
        patch.object(
            argon2.PasswordHasher, "verify", side_effect=argon2.exceptions.VerifyMismatchError
        ) as verify,
        pytest.raises(NotAuthenticated),
    ):
        credentials.check_password("nobody", "anything")
    verify.assert_called_once()


class TestDigest:
    CREATED: str

    @pytest.fixture(autouse=True)
    def zoe(self, store, key_file: Path) -> None:
        self.CREATED = datetime.now(UTC).isoformat()
        add(store, make_account("zoe", "open sesame", owner="team", digest=True, key_file=key_file))

    def test_the_right_one(self, credentials: Credentials):
        digest = password_digest(b"n", self.CREATED, "open sesame")
        assert credentials.check_digest("zoe", digest, b"n", self.CREATED) == "team"
        with pytest.raises(NotAuthenticated, match="used before"):
            credentials.check_digest("zoe", digest, b"n", self.CREATED)

    def test_a_wrong_one_does_not_use_the_nonce_up(self, credentials: Credentials):
        with pytest.raises(NotAuthenticated):
            credentials.check_digest("zoe", "wrong", b"n", self.CREATED)
        digest = password_digest(b"n", self.CREATED, "open sesame")
        assert credentials.check_digest("zoe", digest, b"n", self.CREATED) == "team"

    @pytest.mark.parametrize(
        ("nonce", "created"),
        [(None, "now"), (b"", "now"), (b"n" * 65, "now"), (b"n", None), (b"n", "yesterday")],
    )
    def test_its_parts_must_be_there(
        self, credentials: Credentials, nonce: bytes | None, created: str | None
    ):
        created = self.CREATED if created == "now" else created
        with pytest.raises(NotAuthenticated):
            credentials.check_digest("zoe", "x", nonce, created)

    def test_a_lost_key_is_said(self, credentials: Credentials, key_file: Path):
        key_file.unlink()
        digest = password_digest(b"n", self.CREATED, "open sesame")
        with pytest.raises(NotAuthenticated, match="operator must add it again"):
            credentials.check_digest("zoe", digest, b"n", self.CREATED)

    def test_an_unknown_name_has_no_empty_password(self, credentials: Credentials):
        digest = password_digest(b"n", self.CREATED, "")
        with pytest.raises(NotAuthenticated):
            credentials.check_digest("nobody", digest, b"n", self.CREATED)
