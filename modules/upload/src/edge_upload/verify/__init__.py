"""The command ``edge-verify``: does the store hold what the ledger says? From any machine that reaches the store.

``store`` opens it, ``names`` knows its layout, ``loading`` reads it into a ``scratch`` database, where ``differences``
are queries; ``report`` and ``trace`` print.
"""
