"""What can be wrong with a query."""


class QueryError(Exception):
    """A query that is not understood; the message says where and why."""
