"""The ledger: every file that ingest ever saw, and what became of it.

One SQLite file, written by one thread. ``schema`` opens it, ``journal`` runs work on it in grouped transactions, and
the work itself stands by whose business it is: ``arrivals`` (files that were found), ``deliveries`` (items that are
sent, and the answers), ``endings`` (items that are settled), ``generations`` (items that are tried anew on purpose),
``trimming`` (items that are forgotten) and ``summary`` (counts). ``records``, ``integrity`` and ``salvage`` see to it
that what a disk has spoilt stops nothing else.
"""
