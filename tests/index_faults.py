"""The faults of an index: each is one way in which an HTTP server can answer badly."""

import socket
import struct
import threading
import time
from enum import Enum
from http.server import BaseHTTPRequestHandler

_LONGEST_SECONDS = 120.0
_DRIP_SECONDS = 0.1


class Fault(Enum):
    """How a request is answered: never, one byte at a time, with half of the body, or with a reset connection."""

    HANG = "hang"
    DRIP = "drip"
    TRUNCATE = "truncate"
    RESET = "reset"


def misbehave(handler: BaseHTTPRequestHandler, fault: Fault, body: bytes, kind: str, ended: threading.Event) -> None:
    """Answer a request for `body` with a fault; a fault that takes longer ends when `ended` is set."""
    handler.close_connection = True
    if fault is Fault.HANG:
        ended.wait(_LONGEST_SECONDS)
        return
    if fault is Fault.RESET:
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
        return
    handler.send_response(200)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(max(len(body), 2)))
    handler.end_headers()
    if fault is Fault.TRUNCATE:
        handler.wfile.write(body[: len(body) // 2])
        return
    end = time.monotonic() + _LONGEST_SECONDS
    for byte in body:
        if ended.wait(_DRIP_SECONDS) or time.monotonic() > end:
            return
        try:
            handler.wfile.write(bytes([byte]))
        except OSError:  # the client gave up
            return
