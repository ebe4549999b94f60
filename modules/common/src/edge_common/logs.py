"""Logs in the form that IoT Edge's log pull filters by level.

A line is ``<N> yyyy-MM-dd HH:mm:ss.fff +00:00 [LVL] [logger] message``, N being the severity of RFC 5424.
"""

import logging
import sys
from datetime import UTC, datetime
from typing import Final

LEVELS: Final = {
    logging.DEBUG: (7, "DBG"),
    logging.INFO: (6, "INF"),
    logging.WARNING: (4, "WRN"),
    logging.ERROR: (3, "ERR"),
    logging.CRITICAL: (2, "FTL"),
}

QUIET: Final = {
    "azure": logging.ERROR,
    "httpcore": logging.WARNING,
    "httpx": logging.WARNING,
    "paho": logging.WARNING,
    "urllib3": logging.WARNING,
    "watchdog": logging.WARNING,
}
"""Libraries that log what the modules log themselves; what they say of requests may hold tokens."""


class EdgeFormatter(logging.Formatter):
    """One record, one line; what follows in a traceback is indented."""

    def format(self, record: logging.LogRecord) -> str:
        """A record as IoT Edge's log pull reads it."""
        severity, name = LEVELS.get(record.levelno, (6, "INF"))
        stamp = datetime.fromtimestamp(record.created, UTC).isoformat(" ", "milliseconds")
        stamp = stamp.replace("+00:00", " +00:00")
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return f"<{severity}> {stamp} [{name}] [{record.name}] " + text.replace("\n", "\n    ")


def configure_logging(level: str) -> None:
    """Send the process's log to standard output.

    Args:
        level: ``DEBUG``, ``INFO``, ``WARNING`` or ``ERROR``.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(EdgeFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(least)
