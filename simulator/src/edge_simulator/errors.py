"""What can go wrong in the simulator, as far as a user can mend it.

SimulatorError
├── StateInUseError            another simulator runs on the state folder
├── NotRunningError            no simulator runs on the state folder
├── AddressUnavailableError    no loopback address whose port 8883 is free
├── CommandMissingError        a module whose image does not say what to run, or whose program is not installed
├── UnknownModuleError         a module that the deployment does not name
├── MessageTooLargeError       a message over 256 KiB
└── TwinError                  twin properties that IoT Hub would refuse
"""


class SimulatorError(Exception):
    """The root; a message says what happened and what to do about it."""


class StateInUseError(SimulatorError):
    """Another simulator runs on the state folder."""


class NotRunningError(SimulatorError):
    """No simulator runs on the state folder."""


class AddressUnavailableError(SimulatorError):
    """No loopback address whose port 8883 is free."""


class CommandMissingError(SimulatorError):
    """A module whose image does not say what to run, or whose program is not installed."""


class UnknownModuleError(SimulatorError):
    """A module that the deployment does not name."""


class MessageTooLargeError(SimulatorError):
    """A message over 256 KiB."""


class TwinError(SimulatorError):
    """Twin properties that IoT Hub would refuse with status 400."""
