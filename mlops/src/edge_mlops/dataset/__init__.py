"""Datasets: what was stored, frozen. A version is a folder of files that never change, and holds no copy of the data.

``labels`` reads what people said of items, ``selection`` asks the ledger which originals are in the store and joins the
two, ``versions`` writes and reads versions, ``profile`` says how one looks, ``freezing`` puts it all together.
"""
