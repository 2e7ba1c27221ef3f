"""How one item is made, on a worker: stage, process, pack, deliver. No store, no settings."""
