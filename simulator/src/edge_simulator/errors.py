"""What can go wrong in the simulator, as far as a user can mend it.

SimulatorError
├── StateInUseError            another simulator runs on the state folder
├── NotRunningError            no simulator runs on the state folder
├── AddressUnavailableError    no loopback address whose port 8883 is free
├── LaunchError                a module that lacks what it takes to start
│   ├── CommandMissingError    its image does not say what to run, or its program is not installed
│   └── ContainerError         the container engine does not have what it takes, or is not there
├── UnknownModuleError         a module that the deployment does not name
├── FaultError                 a fault that there is not, or that would not end
├── ModuleNotRunningError      a module without a process, where one is needed
├── MessageTooLargeError       a message over 256 KiB
├── TwinError                  twin properties that IoT Hub would refuse
├── MethodCallError            a method call that IoT Hub would refuse
├── ModuleOfflineError         a method call to a module that is not there to take it
└── MethodTimeoutError         a method call that nobody has answered in time
"""


class SimulatorError(Exception):
    """The root; a message says what happened and what to do about it."""


class StateInUseError(SimulatorError):
    """Another simulator runs on the state folder."""


class NotRunningError(SimulatorError):
    """No simulator runs on the state folder."""


class AddressUnavailableError(SimulatorError):
    """No loopback address whose port 8883 is free."""


class LaunchError(SimulatorError):
    """A module lacks what it takes to start."""


class CommandMissingError(LaunchError):
    """A module whose image does not say what to run, or whose program is not installed."""


class ContainerError(LaunchError):
    """The container engine does not have what a module takes, or is not there at all."""


class UnknownModuleError(SimulatorError):
    """A module that the deployment does not name."""


class FaultError(SimulatorError):
    """A fault that there is not, or that would not end."""


class ModuleNotRunningError(SimulatorError):
    """A module without a process, where one is needed."""


class MessageTooLargeError(SimulatorError):
    """A message over 256 KiB."""


class TwinError(SimulatorError):
    """Twin properties that IoT Hub would refuse with status 400."""


class MethodCallError(SimulatorError):
    """A method call that IoT Hub would refuse with status 400."""


class ModuleOfflineError(SimulatorError):
    """A method call to a module that is not connected, or takes no methods."""


class MethodTimeoutError(SimulatorError):
    """A method call that nobody has answered in time."""
