"""Refusals in the form that IoT Hub gives them."""


class ServiceError(Exception):
    """A request that is refused: an HTTP status, IoT Hub's name for the reason, and the reason."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def bad_request(message: str) -> ServiceError:
    """Return the refusal of a request that makes no sense."""
    return ServiceError(400, "ArgumentInvalid", message)


def device_not_found(device: str) -> ServiceError:
    """Return the refusal of a request about a device that there is not."""
    return ServiceError(404, "DeviceNotFound", f"there is no device {device!r}")


def module_not_found(device: str, module: str) -> ServiceError:
    """Return the refusal of a request about a module that there is not."""
    return ServiceError(404, "ModuleNotFound", f"device {device!r} has no module {module!r}")
