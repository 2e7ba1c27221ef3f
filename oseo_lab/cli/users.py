"""``oseo-lab users``: accounts of SOAP clients elsewhere, which Jupyter does not know.

Passwords are asked for or read from stdin, never taken from the command line, where others can see them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

import typer

from oseo_lab.cli.operator import DataDir, operator_settings, store
from oseo_lab.cli.output import FAILED, AsJson, print_json, print_table, say
from oseo_lab.model.errors import ValidationError

__all__ = ["app"]

app = typer.Typer(help="Accounts of SOAP clients.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the account.")]


@app.command()
def add(
    name: Name,
    owner: Annotated[str | None, typer.Option(help="Whose orders it sees; the name by default.")] = None,
    digest: Annotated[
        bool, typer.Option(help="Allow PasswordDigest, for which the password is kept encrypted.")
    ] = False,
    replace_existing: Annotated[
        bool, typer.Option("--replace", help="Give an existing account a new password.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Add an account; the password is asked for, or read from stdin."""
    from oseo_lab.web.credentials import KEY_FILE, make_account

    key_file = operator_settings(data_dir).data_dir / KEY_FILE
    with store(data_dir) as opened:
        with opened.read() as snapshot:
            if snapshot.accounts.get(name) is not None and not replace_existing:
                raise ValidationError(
                    f"there is an account {name!r} already; --replace gives it a new password", locator="name"
                )
        account = make_account(name, _password(), owner=owner, digest=digest, key_file=key_file)
        opened.write(lambda work: work.accounts.save(account))
    say(f"account {name!r} sees the orders of {account.owner!r}")


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    found: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return found


@app.command("list")
def list_users(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List the accounts."""
    with store(data_dir) as opened, opened.read() as snapshot:
        found = snapshot.accounts.list()
    facts = [
        {
            "name": each.name,
            "owner": each.owner,
            "digest": each.digest_secret is not None,
            "disabled": each.disabled,
            "created": each.created,
        }
        for each in found
    ]
    if as_json:
        print_json(facts)
    else:
        rows = [
            (each["name"], each["owner"], _ways(each), "disabled" if each["disabled"] else "")
            for each in facts
        ]
        print_table(("name", "owner", "may use", ""), rows)


def _ways(facts: Mapping[str, object]) -> str:
    return "Basic, text, digest" if facts["digest"] else "Basic, text"


@app.command()
def disable(
    name: Name,
    enable: Annotated[bool, typer.Option("--undo", help="Enable it again.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Keep an account from being used; its orders stay."""
    with store(data_dir) as opened:
        with opened.read() as snapshot:
            account = snapshot.accounts.get(name)
        if account is None:
            say(f"there is no account {name!r}")
            raise typer.Exit(FAILED)
        changed = replace(account, disabled=not enable)
        opened.write(lambda work: work.accounts.save(changed))
    say(f"account {name!r} is {'enabled' if enable else 'disabled'}")
