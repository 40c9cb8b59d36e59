#!/usr/bin/env python3
"""A small WhatsApp sender, as a team might have written it in an afternoon. Standard library only.

POST /send {"to": "15550000001", "text": "hello"} answers 202 and sends the message in the background.
GET /healthz answers 200.

It has a flaw that no unit test of it would find. docs/your-sender.md lets a harness find it.
"""

import argparse
import json
import queue
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class CloudAPI:
    """Talks to the WhatsApp Cloud API."""

    def __init__(self, base, phone, token, timeout, attempts, on_timeout):
        self.url = f"{base.rstrip('/')}/v24.0/{phone}/messages"
        self.token, self.timeout, self.attempts, self.on_timeout = token, timeout, attempts, on_timeout

    def send(self, to, text):
        body = json.dumps(
            {"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": text}}
        ).encode()
        for attempt in range(1, self.attempts + 1):
            request = urllib.request.Request(
                self.url,
                data=body,
                headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
            )
            try:
                with urllib.request.urlopen(request, timeout=self.timeout) as response:
                    response.read()
                    return "sent"
            except urllib.error.HTTPError as error:
                error.read()
                if error.code < 500 and error.code != 429:
                    return f"refused with {error.code}"
            except (socket.timeout, TimeoutError):
                # Nobody knows whether the message went out.
                if self.on_timeout == "give-up":
                    return "unknown: no answer in time"
            except (urllib.error.URLError, ConnectionError) as error:
                if self.on_timeout == "give-up" and not isinstance(getattr(error, "reason", None), ConnectionRefusedError):
                    return f"unknown: {error}"
            time.sleep(0.2 * attempt)
        return "failed: out of attempts"


def serve(args):
    api = CloudAPI(args.api, args.phone, args.token, args.timeout, args.attempts, args.on_timeout)
    waiting = queue.Queue()

    def work():
        while True:
            message = waiting.get()
            outcome = api.send(message["to"], message["text"])
            if outcome != "sent":
                print(f"{message['to']}: {outcome}", file=sys.stderr, flush=True)

    for _ in range(args.workers):
        threading.Thread(target=work, daemon=True).start()

    class FrontDoor(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.answer(200 if self.path == "/healthz" else 404, {})

        def do_POST(self):
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path != "/send":
                return self.answer(404, {"error": "POST /send"})
            try:
                message = json.loads(raw)
                waiting.put({"to": str(message["to"]), "text": str(message["text"])})
            except (ValueError, KeyError, TypeError):
                return self.answer(400, {"error": "send {to, text}"})
            self.answer(202, {"queued": waiting.qsize()})

        def answer(self, status, body):
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

    server = Server((args.host, args.port), FrontDoor)
    print(f"listening on http://{args.host}:{server.server_address[1]}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--api", default="http://127.0.0.1:8080", help="base URL of the Cloud API")
    parser.add_argument("--phone", default="106540352242922")
    parser.add_argument("--token", default="EAAexample")
    parser.add_argument("--timeout", type=float, default=1.0, help="seconds to wait for the Cloud API")
    parser.add_argument("--attempts", type=int, default=4)
    parser.add_argument("--workers", type=int, default=32)
    parser.add_argument("--on-timeout", choices=["retry", "give-up"], default="retry")
    serve(parser.parse_args())


if __name__ == "__main__":
    main()
