"""What an image's health check runs: whether the module answers where its metrics are."""

import sys
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from os import environ
from typing import Final

TIMEOUT_S: Final = 5.0


def answers(address: str, port: int) -> bool:
    """Whether ``/metrics`` is served there; 0.0.0.0 is reached on the loopback interface."""
    connection = HTTPConnection(address, port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    address, port = environ.get("METRICS_ADDRESS", "0.0.0.0"), int(environ.get("METRICS_PORT", "9600"))  # noqa: S104
    sys.exit(not answers(address, port))
