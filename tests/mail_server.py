"""A real mail server for tests (RFC 5321, as much as it takes): keeps what it takes, refuses on demand."""

from __future__ import annotations

import base64
import email
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.policy import default
from typing import Any


class MailServer:
    """Takes mail on loopback.

    ``refusals`` are answers to coming RCPT commands, each used once; ``login`` is user and password, where
    they are asked for; ``tls`` an `ssl.SSLContext`, where STARTTLS is offered; ``farewell`` answers QUIT.
    """

    def __init__(
        self, tls: Any = None, login: tuple[str, str] | None = None, farewell: str = "221 bye"
    ) -> None:
        self.taken: list[tuple[str, list[str], EmailMessage]] = []
        self.refusals: list[str] = []
        self.tls, self.login, self.farewell = tls, login, farewell
        self.secured = 0
        mail = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                dialogue = _Dialogue(mail, self)
                with suppress(OSError):  # the caller may hang up, as it should
                    dialogue.run()
                dialogue.reader.close()
                dialogue.connection.close()

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]

    def texts(self) -> list[str]:
        """Return the bodies of what was taken."""
        return [message.get_content().replace("\r\n", "\n") for _, _, message in self.taken]

    def subjects(self) -> list[str]:
        return [str(message["Subject"]) for _, _, message in self.taken]


class _Dialogue:
    def __init__(self, mail: MailServer, handler: Any) -> None:
        self.mail = mail
        self.connection, self.reader = handler.connection, handler.rfile
        self.sender, self.recipients = "", []
        self.is_known = mail.login is None

    def run(self) -> None:
        self.say("220 ready")
        while line := self.reader.readline():
            word = line.decode().strip()
            if not self.answer(word.split(" ")[0].upper(), word):
                return

    def say(self, text: str) -> None:
        self.connection.sendall(text.encode() + b"\r\n")

    def answer(self, verb: str, line: str) -> bool:
        if verb == "EHLO":
            offers = [*(["STARTTLS"] if self.mail.tls else []), *(["AUTH PLAIN"] if self.mail.login else [])]
            self.say("".join(f"250-{each}\r\n" for each in ("here", *offers)) + "250 8BITMIME")
        elif verb == "STARTTLS":
            self.say("220 go on")
            self.reader.close()
            self.connection = self.mail.tls.wrap_socket(self.connection, server_side=True)
            self.reader = self.connection.makefile("rb")
            self.mail.secured += 1
        elif verb == "AUTH":
            said = base64.b64decode(line.split(" ")[2]).decode().split("\0")[1:]
            self.is_known = tuple(said) == self.mail.login
            self.say("235 welcome" if self.is_known else "535 who are you")
        elif verb == "MAIL":
            self.sender, self.recipients = line.partition("<")[2].partition(">")[0], []
            self.say("250 ok" if self.is_known else "530 log in first")
        elif verb == "RCPT":
            refusal = self.mail.refusals.pop(0) if self.mail.refusals else None
            self.recipients.append(line.partition("<")[2].partition(">")[0])
            self.say(refusal or "250 ok")
        elif verb == "DATA":
            self.take()
        else:
            self.say(self.mail.farewell if verb == "QUIT" else "250 ok")
        return verb != "QUIT"

    def take(self) -> None:
        self.say("354 go on")
        lines = []
        while (line := self.reader.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        message = email.message_from_bytes(b"".join(lines), policy=default)
        self.mail.taken.append((self.sender, self.recipients, message))
        self.say("250 taken")


@contextmanager
def taking_mail(**how: Any) -> Iterator[MailServer]:
    """Run a mail server."""
    mail = MailServer(**how)
    thread = threading.Thread(target=mail.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield mail
    finally:
        mail.server.shutdown()
        mail.server.server_close()
        thread.join()
