"""The notifier of mail: an order's news as one plain-text message, handed to the operator's mail server.

Called by the relay with what `oseo_lab.dispatch.contents` completed. A message has the same ``Message-ID``
however often it is sent, so that mail programs show it once, and says that a machine wrote it (RFC 3834).
What the mail server refuses for good (5yz) is given up; anything else is tried again.
"""

from __future__ import annotations

import json
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, localtime
from pathlib import Path
from typing import Any

from oseo_lab.model.notify import Digest, about, may_get_mail, sentence
from oseo_lab.model.plain import plain_line
from oseo_lab.ports import Notice, ProcessingFailed

__all__ = ["EmailNotifier"]

#: Seconds that the mail server is waited for, at each step.
TIMEOUT = 20.0
#: Longest subject, characters.
_SUBJECT = 200
_FOR_GOOD = 500


class EmailNotifier:
    """Sends mail.

    Parameters
    ----------
    settings : mapping
        ``title`` of the service, ``mail_domains`` as they are now, and the operator's ``smtp_host``,
        ``smtp_port``, ``smtp_user``, ``smtp_password_file``, ``smtp_from``, ``smtp_tls`` (``starttls``,
        ``tls`` or ``none``).
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings

    def __call__(self, notice: Notice) -> None:
        """Send a notice as the relay completed it.

        Raises
        ------
        ProcessingFailed
            If the mail server did not take it.
        """
        if not self._settings.get("smtp_host"):
            raise ProcessingFailed("no mail is sent from here: the operator has named no smtp_host")
        if not may_get_mail(notice.address, self._settings.get("mail_domains") or ()):
            raise ProcessingFailed(
                "no mail is sent there from here any more; the setting mail_domains says where"
            )
        message = _message(notice, str(self._settings["smtp_from"]), str(self._settings.get("title") or ""))
        with self._server() as server:
            server.send_message(message, to_addrs=[notice.address])

    def check(self) -> None:
        """Connect and log in as for a message, and send none. Raises as `__call__`."""
        with self._server() as server:
            server.noop()

    @contextmanager
    def _server(self) -> Iterator[smtplib.SMTP]:
        """Give the mail server, connected; say in our words what goes wrong with it."""
        try:
            server = self._connected()
            try:
                yield server
                _farewell(server)
            finally:
                server.close()
        except smtplib.SMTPResponseException as refused:
            raise _refused(refused.smtp_code, refused.smtp_error) from None
        except smtplib.SMTPRecipientsRefused as refused:
            raise _refused(*next(iter(refused.recipients.values()))) from None
        except (smtplib.SMTPException, OSError) as failed:
            said = str(failed) or type(failed).__name__
            raise ProcessingFailed(
                "the mail server could not be reached", retry=True, detail=said[:300]
            ) from None

    def _connected(self) -> smtplib.SMTP:
        """Return a connection to the mail server, secured and logged in as the operator said."""
        said = self._settings
        host, port, tls = str(said["smtp_host"]), int(said["smtp_port"]), said["smtp_tls"]
        if tls == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=_context())
        else:
            server = smtplib.SMTP(host, port, timeout=TIMEOUT)
        try:
            if tls == "starttls":
                server.starttls(context=_context())
            if said.get("smtp_user"):
                server.login(str(said["smtp_user"]), self._password())
        except BaseException:
            server.close()
            raise
        return server

    def _password(self) -> str:
        """Read the password anew each time: it may have been changed."""
        path = self._settings.get("smtp_password_file")
        return Path(str(path)).expanduser().read_text().strip() if path else ""


def _farewell(server: smtplib.SMTP) -> None:
    """Take leave; the message is taken by then, whatever is answered: it must not be sent twice for that."""
    with suppress(smtplib.SMTPException, OSError):
        server.quit()


def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _refused(code: int, text: bytes | str) -> ProcessingFailed:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    return ProcessingFailed(
        f"the mail server answered {code}: {' '.join(said.split())[:200]}", retry=code < _FOR_GOOD
    )


def _message(notice: Notice, sender: str, title: str) -> EmailMessage:
    body, name = notice.body, _line(notice.body["name"])
    quoted = json.dumps(name, ensure_ascii=False)  # as Python reads it, too
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = sender, notice.address
    message["Subject"] = _line(f"{name}: {about(notice.kind, body)}")[:_SUBJECT]
    message["Date"] = format_datetime(localtime())
    message["Message-ID"] = f"<{_line(body['message'])}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    lines = [f"  {_moment(each)}  {sentence(each)}" for each in body["entries"]]
    gathered = "" if body["digest"] == Digest.IMMEDIATE else f", {body['digest']} digest"
    status = body["status"]
    told = f"{status.status}{f': {status.additional}' if status.additional else ''}"
    text = [
        f"{name}{gathered}",
        "",
        *lines,
        "",
        f"It stands now at {told}.",
        f"Order {notice.order_id}",
        f"at {body['service']}" if body["service"] else "",
        "",
        f"In Python: lab.orders[{quoted}]; to hear no more: lab.orders[{quoted}].notifications.stop()",
        f"-- \n{title}",
    ]
    message.set_content("\n".join(text))
    return message


def _line(text: Any) -> str:
    """Return a text as one line, as headers have it.

    Nothing in it is an encoded word (RFC 2047): what one hides would be written out, line ends too.
    """
    return " ".join(plain_line(str(text)).split()).replace("=?", "= ?")


def _moment(entry: Mapping[str, Any]) -> str:
    return str(entry["at"]).replace("T", " ")[:16] + " UTC"
