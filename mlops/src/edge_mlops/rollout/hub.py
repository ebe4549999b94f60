"""A fleet as IoT Hub has it."""

import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, Final, TypeVar

from azure.iot.hub.models import QuerySpecification, Twin, TwinProperties
from msrest.exceptions import ClientRequestError, HttpOperationError

from edge_mlops import iothub
from edge_mlops.errors import ChangedError
from edge_mlops.patch import difference
from edge_mlops.rollout.fleet import JsonObject, Mark, ModuleTwin

T = TypeVar("T")

TAG: Final = "modelRollout"
_DEVICES: Final = "SELECT * FROM devices WHERE"
_MODULES: Final = "SELECT * FROM devices.modules WHERE"
PAGE: Final = 100
"""IoT Hub gives no more twins at once."""
PAUSES_S: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Between attempts, where the hub does not say how long; its throttles count by the minute."""
_PASSING: Final = frozenset({429, 500, 502, 503, 504})


class HubFleet:
    """The twins of one module, by the service SDK.

    Args:
        connection_string: Of a policy that may write to the registry.
        module: The module's name.
        sleep: Waits for so many seconds before the hub is asked again.
        page: How many twins it is asked for at once.

    Raises:
        HubError: It is no connection string.
    """

    def __init__(
        self, connection_string: str, module: str, sleep: Callable[[float], None] = time.sleep, page: int = PAGE
    ) -> None:
        self._registry = iothub.registry(connection_string)
        self._registry.protocol.config.retry_policy.retries = 0  # the patience is ours alone
        self._module = module
        self._sleep = sleep
        self._page = page

    def devices(self, condition: str) -> list[str]:
        return [twin.device_id for twin in self._query(f"{_DEVICES} {condition}")]

    def twin(self, device: str) -> ModuleTwin | None:
        def get() -> Any:
            return self._registry.get_module_twin(device, self._module)

        with iothub.failures():
            try:
                return _read(self._patiently(get))
            except HttpOperationError as error:
                if error.response.status_code == HTTPStatus.NOT_FOUND:
                    return None
                raise

    def told(self, rollout: str) -> Iterator[ModuleTwin]:
        where = f"moduleId = '{self._module}' AND tags.{TAG}.id = '{rollout}'"
        return map(_read, self._query(f"{_MODULES} {where}"))

    def drifting(self, model: str) -> int:
        """How many devices run a model, and report that its input drifts, as far as the hub's index has them.

        Raises:
            HubError: The hub cannot be asked.
        """
        runs = f"properties.reported.model.active.name = '{model}'"
        drifts = "properties.reported.drift.state = 'drift'"
        return sum(1 for _ in self._query(f"{_MODULES} moduleId = '{self._module}' AND {runs} AND {drifts}"))

    def update(self, twin: ModuleTwin, model: JsonObject | None, mark: Mark) -> None:
        desired = difference(_section("model", model), _section("model", twin.model))
        tags = difference(_section(TAG, mark.tag()), _section(TAG, twin.tag))
        patch = Twin(tags=tags, properties=TwinProperties(desired=desired))

        def change() -> Any:
            return self._registry.update_module_twin(twin.device, self._module, patch, twin.etag)

        with iothub.failures():
            try:
                self._patiently(change)
            except HttpOperationError as error:
                if error.response.status_code == HTTPStatus.PRECONDITION_FAILED:
                    raise ChangedError(f"the twin of {self._module} on {twin.device} has changed") from None
                raise

    def _query(self, query: str) -> Iterator[Any]:
        specification = QuerySpecification(query=query)

        def ask(token: str | None) -> Any:
            return self._patiently(lambda: self._registry.query_iot_hub(specification, token, self._page))

        with iothub.failures():
            yield from iothub.items(ask)

    def _patiently(self, ask: Callable[[], T]) -> T:
        """Ask again while the hub has too much to do or is out of reach; the SDK by itself does so for GET at most."""
        for pause_s in PAUSES_S:
            try:
                return ask()
            except HttpOperationError as error:
                if error.response.status_code not in _PASSING:
                    raise
                self._sleep(_wanted_pause(error, pause_s))
            except ClientRequestError:
                self._sleep(pause_s)
        return ask()


def _wanted_pause(error: HttpOperationError, otherwise: float) -> float:
    said = error.response.headers.get("Retry-After", "")
    return float(said) if said.isdecimal() else otherwise


def _section(name: str, value: object) -> dict[str, Any]:
    return {} if value is None else {name: value}


def _read(twin: Any) -> ModuleTwin:
    return ModuleTwin(
        device=twin.device_id,
        etag=twin.etag,
        connected=twin.connection_state == "Connected",
        model=(twin.properties.desired or {}).get("model"),
        reported=(twin.properties.reported or {}).get("model") or {},
        tag=(twin.tags or {}).get(TAG),
    )
