"""Who has subscribed to what; clients do not subscribe again when they reconnect."""

from edge_simulator.store.database import Database


class Subscriptions:
    """The topic filters of each client id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, client: str) -> dict[str, int]:
        """Return the client's filters with their QoS."""
        return dict(self._database.read("SELECT filter, qos FROM subscriptions WHERE client = ?", (client,)).fetchall())

    def add(self, client: str, topic_filter: str, qos: int) -> None:
        """Add or replace a subscription."""
        self._database.write("INSERT OR REPLACE INTO subscriptions VALUES (?, ?, ?)", (client, topic_filter, qos))

    def remove(self, client: str, topic_filter: str) -> None:
        """Remove a subscription, if it is there."""
        self._database.write("DELETE FROM subscriptions WHERE client = ? AND filter = ?", (client, topic_filter))

    def clear(self, client: str) -> None:
        """Remove all that a client subscribed to."""
        self._database.write("DELETE FROM subscriptions WHERE client = ?", (client,))
