"""A folder behind HTTP with byte ranges, as archives serve rasters; it remembers what was asked."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit


class FileServer:
    """Serves the files below a folder on loopback."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> FileServer:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        files = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = (files.folder / unquote(urlsplit(self.path).path).lstrip("/")).resolve()
                files.asked.append(self.path)
                if not path.is_relative_to(files.folder) or not path.is_file():
                    self.answer(404, b"", {})
                    return
                content = path.read_bytes()
                asked = self.headers.get("Range", "").removeprefix("bytes=")
                if not asked:
                    self.answer(200, content, {"Accept-Ranges": "bytes"})
                    return
                start, _, end = asked.partition("-")
                first, last = int(start), min(int(end or len(content)), len(content) - 1)
                said = {"Content-Range": f"bytes {first}-{last}/{len(content)}"}
                self.answer(206, content[first : last + 1], said)

            do_HEAD = do_GET

            def answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
