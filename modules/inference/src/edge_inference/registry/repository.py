"""One repository of a registry: manifests and blobs, out and in."""

from collections.abc import Iterable, Sequence
from typing import Final

import httpx

from edge_inference.errors import DigestMismatchError
from edge_inference.images import DOCKER_MANIFEST_TYPE
from edge_inference.package import MANIFEST_TYPE, MOST_MANIFEST_BYTES, Descriptor, digest_of
from edge_inference.registry.auth import Doorkeeper
from edge_inference.registry.http import check, failures
from edge_inference.sources import Stream, at_most

_BEYOND: Final = httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE
_CHUNK: Final = 1 << 20
_MOST_PAGES: Final = 20
_INDEX_TYPE: Final = "application/vnd.oci.image.index.v1+json"
_ACCEPTED: Final = f"{MANIFEST_TYPE}, {DOCKER_MANIFEST_TYPE}, {_INDEX_TYPE}"


class Repository:
    """Methods block, and raise ModelError.

    Args:
        http: Reaches it.
        keeper: Answers its registry's challenges.
        name: Its path in the registry.
    """

    def __init__(self, http: httpx.Client, keeper: Doorkeeper, name: str) -> None:
        self._http = http
        self._keeper = keeper
        self._name = name
        self._base = keeper.base.join(f"/v2/{name}/")

    def manifest(self, reference: str) -> bytes:
        """The manifest of a tag or a digest, which is not checked.

        Raises:
            AuthError: We may not.
            NotFoundError: There is none.
            UnsafeModelError: It is far too large.
        """
        response = self._get(f"manifests/{reference}", {"Accept": _ACCEPTED})
        with _Body(response) as body:
            return at_most(body, MOST_MANIFEST_BYTES)

    def referrers(self, digest: str) -> Sequence[bytes]:
        """The index of what refers to an artifact, as the registry keeps it, in as many pages as it comes in.

        https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers

        Raises:
            AuthError: We may not.
            NotFoundError: The registry keeps none.
            UnsafeModelError: It is far too large.
        """
        pages: list[bytes] = []
        path = f"referrers/{digest}"
        while path and len(pages) < _MOST_PAGES:
            response = self._get(path, {"Accept": _INDEX_TYPE})
            with _Body(response) as body:
                pages.append(at_most(body, MOST_MANIFEST_BYTES))
            path = self._next(response)
        return pages

    def open(self, blob: Descriptor, at: int = 0) -> Stream:
        """A blob from an offset on; see :meth:`ModelSource.open`."""
        path = f"blobs/{blob.digest}"
        response = self._get(path, {"Range": f"bytes={at}-"} if at else {}, also=_BEYOND)
        if response.status_code == _BEYOND:
            response.close()
            response = self._get(path, {})
        body = _Body(response)
        if at and response.status_code != httpx.codes.PARTIAL_CONTENT:
            body.skip(at)
        elif at and not response.headers.get("content-range", "").startswith(f"bytes {at}-"):
            body.close()
            raise DigestMismatchError(f"{response.url.host} gives another part of {blob.title} than was asked for")
        return body

    def holds(self, kind: str, reference: str) -> bool:
        """Whether there is one of ``manifests`` or ``blobs``."""
        response = self._send("HEAD", f"{kind}/{reference}", "pull,push", headers={"Accept": _ACCEPTED})
        response.read()
        if response.status_code == httpx.codes.NOT_FOUND:
            return False
        check(response, f"{self._name} {reference}")
        return True

    def put_blob(self, blob: Descriptor, content: Iterable[bytes]) -> None:
        """Upload a blob in one go."""
        begun = self._send("POST", "blobs/uploads/", "pull,push")
        begun.read()
        check(begun, f"an upload to {self._name}")
        target = begun.url.join(begun.headers.get("location", "")).copy_add_param("digest", blob.digest)
        headers = {"Content-Length": str(blob.size), "Content-Type": "application/octet-stream"}
        self._put(target, content, headers, blob.title)

    def put_manifest(self, reference: str, data: bytes, media_type: str) -> None:
        """Upload a manifest under a tag or its digest, once its blobs are there."""
        target = self._base.join(f"manifests/{reference}")
        self._put(target, data, {"Content-Type": media_type}, f"the manifest {digest_of(data)}")

    def _put(self, target: httpx.URL, content: bytes | Iterable[bytes], headers: dict[str, str], what: str) -> None:
        with failures(self._where):
            auth = self._keeper.scope(self._name, "pull,push")
            response = self._http.put(target, content=content, headers=headers, auth=auth)
        check(response, f"room for {what}")

    def _get(self, path: str, headers: dict[str, str], also: int = 0) -> httpx.Response:
        response = self._send("GET", path, "pull", headers=headers)
        if response.status_code != also:
            check(response, f"{self._name} {path.rpartition('/')[2]}")
        return response

    def _send(self, method: str, path: str, actions: str, headers: dict[str, str] | None = None) -> httpx.Response:
        request = self._http.build_request(method, self._base.join(path), headers=headers)
        with failures(self._where):
            return self._http.send(request, auth=self._keeper.scope(self._name, actions), stream=True)

    def _next(self, response: httpx.Response) -> str:
        """Where the next page is: on this registry, or there is none."""
        link = response.links.get("next", {}).get("url", "")
        url = self._base.join(link)
        return str(url) if link and url.netloc == self._base.netloc and url.scheme == self._base.scheme else ""

    @property
    def _where(self) -> str:
        return str(self._keeper.base.netloc, "ascii")


class _Body(Stream):
    """A response's content, to be read once."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._pieces = response.iter_raw()
        self._ahead = b""

    def read(self, size: int = -1, /) -> bytes:
        """At most so many bytes; empty at the end only.

        Raises:
            UnreachableError: The connection broke.
        """
        if size < 0:
            return b"".join(iter(lambda: self.read(_CHUNK), b""))
        with failures(self._response.url.host):
            ahead = self._ahead or next(self._pieces, b"")
        self._ahead = ahead[size:]
        return ahead[:size]

    def skip(self, count: int) -> None:
        """Read on without keeping anything."""
        while count and (piece := self.read(min(count, _CHUNK))):
            count -= len(piece)

    def close(self) -> None:
        self._response.close()
