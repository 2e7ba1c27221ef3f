"""``oseo-lab config``: which service commands and notebooks would talk to here, and who says so."""

from __future__ import annotations

from typing import Annotated

import typer

from oseo_lab.cli.output import AsJson, Token, Url, print_json, print_table
from oseo_lab.model.errors import ConfigurationError

__all__ = ["app"]

app = typer.Typer(help="Which service is talked to, and who says so.", no_args_is_help=True)

#: What is said of a secret.
HIDDEN = "set, not shown"


@app.callback()
def config() -> None:
    """Which service is talked to, and who says so."""


@app.command()
def show(
    url: Url = None,
    token: Token = None,
    profile: Annotated[
        str | None, typer.Option(help="A service by its name in your profiles; OSEO_LAB_PROFILE otherwise.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show each value and where it came from; where there is no service, every place looked at."""
    try:
        found = _found(url, token, profile)
    except ConfigurationError as none:
        if not none.looked_in:
            raise
        found = {f"looked at {place}": (said or "see above", "") for place, said in _parted(none.looked_in)}
        found["service"] = ("none", none.text.splitlines()[0])
    if as_json:
        print_json({name: {"value": value, "from": by} for name, (value, by) in found.items()})
    else:
        print_table(("what", "value", "from"), [(name, *both) for name, both in found.items()])


def _found(url: str | None, token: str | None, name: str | None) -> dict[str, tuple[str, str]]:
    """Return value and origin of each thing that `connect` would use."""
    from oseo_lab.client.discovery import find_server
    from oseo_lab.client.profiles import SECRETS, read_profile

    profile = None if url else read_profile(name)
    if profile is not None and profile.get("soap"):
        return {
            key: (HIDDEN if key in SECRETS else value, f"{profile} ({profile.named_by})")
            for key, value in profile.values.items()
        }
    place = find_server(url, token, profile)
    found = {"url": (place.url, place.found_by)}
    found["token"] = (HIDDEN, place.token_by) if place.token else ("none", "")
    return found


def _parted(looked: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return each place looked at, and what it said."""
    parts = [each.rpartition(": ") for each in looked]
    return [(place or said, said if place else "") for place, _, said in parts]
