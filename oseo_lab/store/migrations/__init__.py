"""How the tables came to be what they are: Alembic's revisions, run by `oseo_lab.store.upgrade`.

A new revision: change `tables`, write ``versions/<number>_<what>.py`` by hand, add its number here.
"""

from __future__ import annotations

__all__ = ["REVISIONS"]

#: All revisions, oldest first; here too, so that opening a store that is up to date need not load Alembic.
REVISIONS = ("0001", "0002", "0003", "0004")
