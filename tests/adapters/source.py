"""How one provider's recordings are served, and with which credentials it is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from loopback import Reply, recorded, serving

SECRET = "planted-secret-4711"


@dataclass(frozen=True)
class Source:
    """`routes`: path → recording, or a function of the request that names one."""

    routes: dict
    variables: tuple[str, ...] = ()
    credentials: dict = field(default_factory=dict)
    """Values of those that must have a form; they hold `SECRET` as well."""
    regions: tuple[str, ...] = ()
    options: dict = field(default_factory=dict)
    optional: bool = False
    """Whether it can be asked without the credential as well."""
    pages: int = 1
    """Snapshots that a whole fetch gives."""
    headers: dict = field(default_factory=dict)
    repeats: str = ""
    """A page with another after it: served for ever, it must be noticed."""
    page_size: int | None = None
    """How many rows fill a page, where a recording is shorter than a real one."""
    lists: bool = False
    """Whether an answer has no room for a field more: a list, or XML."""

    page: bool = False
    """Whether answers are web pages; the others are documents in JSON."""

    @property
    def unreadable(self):
        """What is said of a body that is neither whole nor what it should be."""
        return "no price page" if self.page else "no JSON"

    server: Callable | None = None
    """Context manager of a server that does not speak HTTP; its `base` is the base URL."""

    def serving(self):
        return self.server() if self.server else serving(self.route)

    def environment(self):
        plain = {name: f"{SECRET}-{name.lower()}" for name in self.variables}
        return plain | self.credentials

    def route(self, request, base):
        found = self.routes.get(request.path)
        name = found(request) if callable(found) else found
        if isinstance(name, Reply) or name is None:
            return name
        return Reply(recorded(name, base), headers=self.headers)
