"""The step ``train``: from a dataset to a graph with a contract, and a record of how it was made."""
