"""Plugins in the box, reached by entry point only."""
