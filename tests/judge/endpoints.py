"""A server that speaks the protocol of OpenAI's chat completions, and misbehaves as a test asks."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GOOD = {"appearance": 4, "presence": 3.5, "view": 2, "scene": 5}
Behaviour = Callable[[int, dict[str, Any]], str | dict[str, Any]]
"""From the attempt at a question (0, 1, ...) and its request to what to do: a text that is the model's reply, or a
mapping with some of status, headers, body, sleep (seconds before), reset and cut (bytes of the body that are sent)."""


def completion(text: Any, **message: Any) -> str:
    """A chat completion whose message has ``text``."""
    message = {"role": "assistant", "content": text, **message}
    return json.dumps({"model": "served", "choices": [{"message": message, "finish_reason": "stop"}]})


class Server(ThreadingHTTPServer):
    """``requests``: every request's body and headers; ``attempts``: how often each question was asked."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, behaviour: Behaviour) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behaviour, self.lock = behaviour, threading.Lock()
        self.requests: list[tuple[dict[str, Any], dict[str, str]]] = []
        self.attempts: dict[str, int] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the tests."""


def name_of(body: dict[str, Any]) -> str:
    """A name of a question: the digest of its turns."""
    return hashlib.sha256(json.dumps([body["messages"], body["seed"]]).encode()).hexdigest()


def images_of(body: dict[str, Any]) -> list[bytes]:
    """The files of the frames in a request, in order."""
    parts = body["messages"][1]["content"]
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    return [base64.b64decode(url.removeprefix("data:image/png;base64,"), validate=True) for url in urls]


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.requests.append((body, dict(self.headers)))
            name = name_of(body)
            attempt = self.server.attempts.get(name, 0)
            self.server.attempts[name] = attempt + 1
        do = self.server.behaviour(attempt, body)
        do = {"body": completion(do)} if isinstance(do, str) else do
        time.sleep(do.get("sleep", 0))
        if do.get("reset"):
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        held = do.get("body", completion(json.dumps(GOOD))).encode()
        self.send_response(do.get("status", 200))
        for key, value in {"Content-Type": "application/json", **do.get("headers", {})}.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(held)))
        self.end_headers()
        self.wfile.write(held[: do.get("cut", len(held))])
        if "cut" in do:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serving(behaviour: Behaviour) -> Iterator[Server]:
    """A server on a free port while the block runs."""
    server = Server(behaviour)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
