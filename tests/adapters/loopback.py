"""A real HTTP server on loopback: serves recordings by path and query, and faults on demand."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

RECORDINGS = Path(__file__).parent / "recordings"


class Request:
    """What came in, as a route sees it."""

    def __init__(self, method, target, headers, body):
        self.method, self.path = method, urlsplit(target).path
        self.query = dict(parse_qsl(urlsplit(target).query))
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)


class Reply:
    def __init__(self, body=b"", status=200, headers=None, act: Callable | None = None):
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.status, self.headers, self.act = status, headers or {}, act


class Loopback:
    """`base` answers by `route`; replies put in `faults` are sent first, one a request."""

    def __init__(self, route):
        self.route, self.faults, self.always = route, [], None
        self.requests: list[Request] = []
        self.stop = threading.Event()
        self.base = ""

    def reply(self, request: Request) -> Reply:
        self.requests.append(request)
        if self.faults:
            return self.faults.pop(0)
        return self.always or self.route(request, self.base) or Reply({"error": "no such"}, 404)


@contextmanager
def serving(route):
    loopback = Loopback(route)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            size = int(self.headers.get("Content-Length") or 0)
            request = Request(self.command, self.path, self.headers, self.rfile.read(size))
            reply = loopback.reply(request)
            if reply.act:
                self.close_connection = True
                reply.act(self, loopback.stop)
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_):
            pass

        def handle(self):
            try:
                super().handle()
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the client gave up, as some tests want

        def finish(self):
            try:
                super().finish()
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    loopback.base = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield loopback
    finally:
        loopback.stop.set()
        server.shutdown()
        server.server_close()
        thread.join()


def recorded(name: str, base: str = "") -> bytes:
    return (RECORDINGS / name).read_bytes().replace(b"{base}", base.encode())


def hang(handler, stop):
    """Says nothing until the test is over."""
    stop.wait(10)


def drip(handler, stop):
    """Sends a byte every few milliseconds, for ever."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    while not stop.is_set():
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.005)


def cut_off(handler, stop):
    """Promises more than it sends."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"data": {')


def hang_up(handler, stop):
    """Closes without a word."""
