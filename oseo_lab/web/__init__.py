"""The web floor: Tornado and Jupyter Server live here."""
