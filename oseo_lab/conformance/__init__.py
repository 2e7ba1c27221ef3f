"""Does a server do what OGC 06-141r6 says? Asked over HTTP of any OSEO server, this one or another.

A room of its own beside the command line: it knows the model and the encodings, posts bytes, and looks at
the bytes that come back, with no help from `oseo_lab.client`, which would hide what is wrong. One check per
row of the standard's conformance tests and per numbered rule of its operations; `suite.CHECKS` is the
table, `run` walks it.
"""

from __future__ import annotations

from oseo_lab.conformance.plan import Plan
from oseo_lab.conformance.subject import Subject
from oseo_lab.conformance.suite import CHECKS, run
from oseo_lab.conformance.verdicts import Check, Outcome, Verdict

__all__ = ["CHECKS", "Check", "Outcome", "Plan", "Subject", "Verdict", "run"]
