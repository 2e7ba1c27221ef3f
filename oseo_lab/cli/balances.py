"""``oseo-lab balances``: what accounts may still order, in currencies or quota units; for operators.

Works on the service's own store, as `oseo-lab users` does. An account without a balance is not limited.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from oseo_lab.cli.operator import DataDir, store
from oseo_lab.cli.output import AsJson, print_json, print_table, say, usage

__all__ = ["app"]

app = typer.Typer(help="What accounts may still order.", no_args_is_help=True)

Owner = Annotated[str, typer.Argument(help="Whose orders are limited.")]


@app.command("list")
def list_balances(owner: Owner, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List the balances of one owner."""
    with store(data_dir) as opened, opened.read() as snapshot:
        found = snapshot.balances.of(owner)
    if as_json:
        print_json({currency: float(value) for currency, value in found.items()})
    else:
        print_table(("currency", "balance"), [(currency, f"{value:f}") for currency, value in found.items()])
        if not found:
            say(f"{owner} is not limited in any currency")


@app.command("set")
def set_balance(
    owner: Owner,
    currency: Annotated[str, typer.Argument(help="ISO 4217 code, or a quota unit such as QUOTA.")],
    value: Annotated[str, typer.Argument(help="A number; 'none' lifts the limit.")],
    data_dir: DataDir = None,
) -> None:
    """Set what an owner may still order; orders draw from it."""
    if not owner.strip():
        raise usage("an owner has a name: whose orders are limited")
    if not 1 <= len(currency) <= 10:
        raise usage(f"{currency[:40]!r} is no currency: 1 to 10 characters")
    amount = None if value == "none" else _amount(value)
    with store(data_dir) as opened:
        opened.write(lambda work: work.balances.set(owner, currency, amount))
    say(f"{owner} may order {'without limit' if amount is None else f'for {amount:f}'} in {currency}")


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise usage(f"{text[:40]!r} is no amount; write a number from 0 on, or none")
    return amount
