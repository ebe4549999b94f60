"""What can be wrong with a route.

RouteError
├── RouteParseError     the text, its sink, priority, time to live or schema version: the configuration is refused whole
└── RouteCompileError   a condition that is well-formed but cannot be evaluated: the routes before it stay in force
"""


class RouteError(Exception):
    """A route that cannot be used; `at` is the offset into its text, where one place is to blame."""

    def __init__(self, reason: str, at: int | None = None, route: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.at = at
        self.route = route

    def __str__(self) -> str:
        name = f"route {self.route}: " if self.route is not None else ""
        place = f" (at character {self.at + 1})" if self.at is not None else ""
        return name + self.reason + place


class RouteParseError(RouteError):
    """Text that is no route, or a configuration that is none."""


class RouteCompileError(RouteError):
    """A condition whose types, functions or characters cannot be evaluated."""
