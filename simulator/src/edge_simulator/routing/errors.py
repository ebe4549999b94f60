"""What can be wrong with a route.

RouteError
├── RouteParseError     the text, its sink, priority, TTL or schema version: the whole configuration is refused
└── RouteCompileError   a condition whose types cannot fit: the routes before it stay in force
"""


class RouteError(Exception):
    """A route that cannot be used."""


class RouteParseError(RouteError):
    """A route or configuration that does not parse."""


class RouteCompileError(RouteError):
    """A condition that parses but does not compile."""
