"""What happened to items, stored beside the results: any machine that reaches the store can check it.

Ingest sends the history of its ledger, and upload adds its own. Unlike results, events may be stored twice: each has a
number in the history that it is from, by which readers tell. So a shard needs no intent; after a failure it is cut
anew. ``events`` keeps them in the spool, ``archivist`` takes what ingest sends, ``courier`` brings shards to the store,
and ``shards`` writes and reads those.
"""
