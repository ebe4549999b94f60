"""The ingest module: finds files on the local share and keeps the ledger of what became of each."""
