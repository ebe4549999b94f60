"""What the inference module can be told."""

from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, Json, model_validator
from pydantic_settings import NoDecode

from edge_common.settings import Environment, TwinSettings
from edge_inference.desired import DesiredModel
from edge_inference.drift.comparison import Policy
from edge_inference.drift.window import Span
from edge_inference.signing.trust import TrustPolicy


def _listed(value: Any) -> Any:
    return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


class InferenceSettings(TwinSettings):
    """What the module takes from its twin, beside the section ``model``.

    Attributes:
        providers: onnxruntime's execution providers, the preferred one first; those that are not there are left out.
        require_gpu: Whether to refuse service where the model does not run on a GPU.
        callers: Runs at once; 0 is as many as turn out best, one for each core until that is known.
        batch: The most samples of a run; 0 is as many as turn out best, a batch as it comes until that is known.
        threads: Threads of a run on CPUs; 0 is as many as turn out best, one until that is known.
        shed_seconds: HTTP requests that have waited so long for their turn are refused; 0 refuses none for that.
        announce_seconds: How often the contract is announced.
        release_seconds: How long the model before stays loaded without a batch of its own.
        max_model_bytes: The largest package that is taken in.
        max_store_bytes: The most that all packages in the store take, and their optimised graphs; the active one
            and the one before it stay.
        drift_rows: The latest rows that input drift is judged by.
        drift_seconds: The age up to which they count.
        drift_min_rows: So few rows say nothing of drift.
        drift_psi: Drift starts where a feature's population stability index is this; it ends under 0.4 of it.
        drift_ks: Likewise, of the Kolmogorov-Smirnov statistic.
    """

    providers: Annotated[tuple[str, ...], Field(min_length=1)] = ("CUDAExecutionProvider", "CPUExecutionProvider")
    require_gpu: bool = False
    callers: Annotated[int, Field(ge=0, le=256)] = 0
    batch: Annotated[int, Field(ge=0)] = 0
    threads: Annotated[int, Field(ge=0, le=256)] = 0
    shed_seconds: Annotated[float, Field(ge=0)] = 0.0
    announce_seconds: Annotated[float, Field(ge=1)] = 30.0
    release_seconds: Annotated[float, Field(ge=0)] = 30.0
    max_model_bytes: Annotated[int, Field(ge=1)] = 4 << 30
    max_store_bytes: Annotated[int, Field(ge=1)] = 16 << 30
    drift_rows: Annotated[int, Field(ge=10, le=1_000_000)] = 2000
    drift_seconds: Annotated[float, Field(ge=10)] = 3600.0
    drift_min_rows: Annotated[int, Field(ge=10)] = 500
    drift_psi: Annotated[float, Field(gt=0)] = 0.25
    drift_ks: Annotated[float, Field(gt=0, le=1)] = 0.25

    @model_validator(mode="after")
    def _enough_rows(self) -> Self:
        if self.drift_min_rows > self.drift_rows:
            raise ValueError("driftMinRows is more than driftRows, so drift would never be judged")
        return self

    @property
    def drift(self) -> Policy:
        """When drift is spoken of."""
        return Policy(Span(self.drift_rows, self.drift_seconds), self.drift_min_rows, self.drift_psi, self.drift_ks)


class TwinOfEnvironment(InferenceSettings):
    """Desired properties that no hub brings: the settings, and the model that is wanted.

    Attributes:
        model: Which one, and where it lies.
    """

    model: DesiredModel


class InferenceEnvironment(Environment):
    """What the module takes from its environment.

    Attributes:
        tensor_dir: The tensor store that transform writes.
        model_dir: Where model packages lie that twins may name: OCI image layouts and folders.
        allowed_registries: Registries that twins may name, ``<host>[:<port>]``, apart by commas; ``http://`` in front
            of those that speak no TLS. None unless told otherwise.
        registry_credentials: A file with the credentials for them, as ``docker login`` writes it; read at each use.
        trust_policy: What becomes of a model without a good signature: ``strict`` refuses it, ``audit`` uses it and
            says so in the log, ``off`` does not look.
        trust_roots: The certificates that signatures must lead to: a PEM file, or a folder of such files. Must be given
            unless the policy is ``off``; read at each use.
        registry_ca: A file with certificates to trust for them besides the usual ones.
        http_port: Where the Open Inference Protocol is served; 0 takes a free port. Not served unless told.
        http_address: Where that is bound. Beyond loopback, requests need a token or a client's certificate.
        http_token_file: A file with the token that requests must bear; read at each use.
        http_tls_cert: A PEM file with the server's certificate and those that lead to it, for TLS.
        http_tls_key: A PEM file with its key.
        http_client_ca: A PEM file with the authorities one of which must have issued a client's certificate.
        http_behind_front: Whether only something reaches the port that has already asked callers who they are, such
            as the front of an Azure Machine Learning endpoint; then requests need nothing more.
        twin: Where there is no IoT Edge, and HTTP is served: the desired properties, as JSON.
    """

    tensor_dir: Path
    model_dir: Path
    allowed_registries: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)] = ()
    registry_credentials: Path | None = None
    trust_policy: TrustPolicy = TrustPolicy.STRICT
    trust_roots: Path | None = None
    registry_ca: Path | None = None
    http_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    http_address: IPv4Address | IPv6Address = IPv4Address("0.0.0.0")  # noqa: S104 - as with metrics; needs a token
    http_token_file: Path | None = None
    http_tls_cert: Path | None = None
    http_tls_key: Path | None = None
    http_client_ca: Path | None = None
    http_behind_front: bool = False
    twin: Annotated[Json[TwinOfEnvironment] | None, NoDecode] = None
