"""Where jobs run: Dask lives here."""
