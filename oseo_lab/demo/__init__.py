"""The demo collections, made deterministically on first use."""
