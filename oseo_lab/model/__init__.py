"""Nouns of ordering: frozen, keyword-only dataclasses over the standard library alone.

What SOAP decodes into, what the store saves, what the client hands to a scientist: one model, with
the words of OGC 06-141r6 (OSEO) and of NASA's ECHO ordering.
"""
