"""A serving program that answers with what is in its model, in no time: the life of an endpoint does not depend on XGBoost.

The first word of the model says what it does; any other word is put before the body that was sent. For transform jobs:
``sum`` adds up the numbers of each line, ``environment`` answers the values of SAGEMAKER_*, ``types`` the headers,
``refuse`` is 415, ``fail`` is 500, ``recover`` is 500 for the first request, ``hang`` answers after 20 seconds, ``die`` ends
the program, ``mortal`` does when it is sent ``die``. ``hang-once`` hangs at the first request of its directory, whatever process
it is. ``busy`` takes a moment and answers how many requests it had at once. What follows the first word is the answer to
``/execution-parameters``.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from sagemaker_emulator.children import end_with_the_service

parser = argparse.ArgumentParser()
parser.add_argument("--root", type=Path, required=True)
parser.add_argument("--socket", type=int, required=True)
arguments = parser.parse_args()
end_with_the_service()
MODEL = (arguments.root / "model" / "model.txt").read_text()
if MODEL == "broken":
    sys.exit("the model is broken")
if MODEL == "slow":
    time.sleep(2)
SEEN: list[bytes] = []
BUSY: list[bytes] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: a client by a unix socket has no address to show."""

    def do_GET(self) -> None:  # the name that http.server calls
        _, _, parameters = MODEL.partition(" ")
        if self.path == "/execution-parameters":
            self.answer(parameters.encode(), 200 if parameters else 404)
        else:
            self.answer(b"")

    def do_POST(self) -> None:  # the name that http.server calls
        body = self.body()
        word = MODEL.partition(" ")[0]
        if word == "sum":
            sums = [sum(float(cell) for cell in line.split(b",")) for line in body.splitlines()]
            self.answer("\n".join(map(str, sums)).encode())
        elif word == "environment":
            self.answer(json.dumps({name: value for name, value in os.environ.items() if name.startswith("SAGEMAKER_")}).encode())
        elif word == "types":
            self.answer(f"{self.headers['Content-Type']} {self.headers['Accept']} {len(body)}".encode())
        elif word == "refuse":
            self.answer(b"no such\ncontent type", 415)
        elif word == "fail" or (word == "recover" and not SEEN):
            SEEN.append(body)
            self.answer(b"a bug", 500)
        elif word == "busy":
            BUSY.append(body)
            time.sleep(0.1)
            self.answer(str(len(BUSY)).encode())
            BUSY.pop()
        elif word == "die" or (word == "mortal" and body == b"die"):
            os._exit(9)
        else:
            asked = arguments.root / "asked"
            time.sleep(20 if word == "hang" or (word == "hang-once" and not asked.exists() and asked.touch() is None) else 0)
            self.answer(MODEL.encode() + b":" + body)

    def body(self) -> bytes:
        if "Content-Length" in self.headers:
            return self.rfile.read(int(self.headers["Content-Length"]))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)


listener = socket.socket(fileno=arguments.socket)
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
server.socket.close()
server.socket = listener
server.serve_forever()
