"""The HTTP that registries are reached by, and what its failures mean. Proxies are taken from the environment."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final

import httpx

from edge_inference.errors import AuthError, NotFoundError, UnreachableError

_TIMEOUT: Final = httpx.Timeout(30.0, connect=10.0)
_MOST_REDIRECTS: Final = 5
_PASSING: Final = {408, 425, 429, 500, 502, 503, 504}
_REFUSED: Final = {401, 403, 407}


def open_client(ca: Path | None) -> httpx.Client:
    """A client for all registries; to be closed.

    Args:
        ca: A file of certificates to trust besides the usual ones.

    Raises:
        OSError: The file cannot be read, or holds no certificates.
    """
    context = httpx.create_ssl_context()
    if ca:
        context.load_verify_locations(ca)
    hooks = {"response": [_refuse_downgrade]}
    headers = {"User-Agent": "edge-inference", "Accept-Encoding": "identity"}
    return httpx.Client(
        verify=context,
        timeout=_TIMEOUT,
        headers=headers,
        follow_redirects=True,
        max_redirects=_MOST_REDIRECTS,
        event_hooks=hooks,
    )


@contextmanager
def failures(where: str) -> Iterator[None]:
    """Turn what can go wrong on the way to a host into the errors that we know.

    Raises:
        AuthError: The host's certificate is not trusted.
        UnreachableError: The connection cannot be had, or broke.
        NotFoundError: What it says makes no sense.
    """
    try:
        yield
    except (httpx.TransportError, httpx.StreamConsumed) as error:
        if _untrusted(error):
            raise AuthError(f"the certificate of {where} is not trusted ({error})") from error
        raise UnreachableError(f"{where} cannot be reached ({type(error).__name__}: {error})") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotFoundError(f"{where} leads nowhere ({error})") from error


def check(response: httpx.Response, what: str) -> None:
    """See that a request was granted.

    Raises:
        AuthError: We may not.
        NotFoundError: There is no such thing; UnreachableError where there may be one later.
    """
    if response.is_success:
        return
    status, where = response.status_code, response.url.host
    response.close()
    if status in _REFUSED:
        raise AuthError(f"{where} does not let us have {what} (HTTP {status})")
    refusal = f"{where} does not give {what} (HTTP {status})"
    if status in _PASSING:
        raise UnreachableError(refusal, after=retry_after(response.headers.get("retry-after", ""), datetime.now(UTC)))
    raise NotFoundError(refusal)


def retry_after(value: str, now: datetime) -> float:
    """How many seconds a header asks for; 0 where it asks for none.

    Args:
        value: Seconds or a date, as https://www.rfc-editor.org/rfc/rfc9110#field.retry-after has it.
        now: The time.
    """
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (ValueError, TypeError):  # no date; or one without a zone
        return 0.0


def _refuse_downgrade(response: httpx.Response) -> None:
    plain = response.has_redirect_location and response.headers["location"].startswith("http:")
    if plain and response.url.scheme == "https":
        raise NotFoundError(f"{response.url.host} leads to a host without TLS")


def _untrusted(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None
