"""What an operator has: a store, settings that lead to loopback servers, and the commands."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1] / "adapters"))

from loopback import Reply, recorded, serving
from sources import SOURCES

from optimizer.cli.main import app

ECB = b"""<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
 xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><Cube>
<Cube time='%s'><Cube currency='USD' rate='1.1520'/><Cube currency='CNY' rate='8.1850'/></Cube>
</Cube></gesmes:Envelope>"""


class Desk:
    """What an operator has: a folder with rentopt.toml, a store, and providers that answer."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self.store, self._stack = folder, folder / "prices.db", stack
        self.servers = {}
        self._lines: dict[str, list[str]] = {}
        self._head: list[str] = []

    def serve(self, *names: str) -> None:
        """Providers by adapter name, each on its own loopback server."""
        for name in names:
            source = SOURCES[name]
            server = self._stack.enter_context(source.serving())
            self.servers[name] = server
            lines = [f'base_url = "{server.base}"']
            if source.regions:
                lines.append(f"regions = {list(source.regions)}")
            if source.options:
                options = (f"{key} = {json.dumps(text)}" for key, text in source.options.items())
                lines.append(f"options = {{ {', '.join(options)} }}")
            self._lines[name] = lines
        self.write()

    def hook(self, reply: Reply | None = None):
        """A server that takes any message."""
        return self._stack.enter_context(serving(lambda request, base: reply or Reply(b"ok")))

    def rates(self) -> None:
        """Today's exchange rates: one table for the short and the long file."""
        today = datetime.now(UTC).date().isoformat().encode()
        table = f"Date,USD,CNY,\n{today.decode()},1.1520,8.1850,\n".encode()
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("eurofxref-hist.csv", table)

        def route(request, base):
            long = request.path.endswith("hist.zip")
            return Reply(archive.getvalue() if long else ECB % today)

        server = self.servers["fx"] = self._stack.enter_context(serving(route))
        other = f'options = {{ frankfurter_url = "{server.base}" }}'
        self._lines["fx"] = [f'base_url = "{server.base}"', other]
        self.write()

    def settings(self, text: str) -> None:
        """Lines to put before the providers'."""
        self._head.append(text)
        self.write()

    def write(self) -> None:
        parts = list(self._head)
        for name, lines in self._lines.items():
            parts += [f"[providers.{name}]", *lines]
        (self.folder / "rentopt.toml").write_text("\n".join(parts) + "\n", encoding="utf-8")

    def run(self, *arguments: str):
        return CliRunner().invoke(app, list(arguments))

    def prices(self, *arguments: str):
        return self.run("prices", *arguments, "--store", str(self.store))


def answer(name: str, **changes: str) -> Reply:
    """A recording with words replaced, as a provider whose prices changed would send it."""
    body = recorded(name).decode()
    for old, new in changes.items():
        body = body.replace(old, new)
    return Reply(body.encode())
