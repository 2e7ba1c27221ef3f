"""Names of orders are their users': nothing in them becomes a header, a body or code of a message."""

from __future__ import annotations

import email
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.builtin.notifier_email import EmailNotifier
from oseo_lab.model.order import StatusInfo, new_order_id
from oseo_lab.model.status import Status
from oseo_lab.ports import Notice
from tests.mail_server import taking_mail

HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "Content-Type",
    "Content-Transfer-Encoding",
    "MIME-Version",
]
EVIL = [
    "lake\r\nBcc: victim@evil.example",
    "=?utf-8?q?=0d=0aBcc:_victim@evil.example?=",
    "=?utf-8?q?=0d=0a=0d=0a<h1>your_password_is_over</h1>?=",
    "==?utf-8?b?DQpGcm9tOiBib3NzQHguZXhhbXBsZQ==?=",
    "=?utf-8?q?=3d=3fq=3f=0a=3f=3d?=",
    "a\x85Reply-To: x@y\u2028Bcc: x@y",
    "\x1b[2J\x9b1m\u202e",
]


def sent(name: str) -> email.message.EmailMessage:
    entry = {"event": "completed", "at": "2026-01-02T03:04:05Z", "status": "Completed", "info": name}
    body = {
        "message": "m-1",
        "digest": "immediate",
        "entries": [entry],
        "name": name,
        "status": StatusInfo(status=Status.COMPLETED, additional=name),
        "service": "https://service.example/oseo/",
    }
    notice = Notice(order_id=new_order_id(), kind="email", address="anna@lab.example", body=body)
    with taking_mail() as mail:
        said = {"smtp_host": "localhost", "smtp_port": mail.port, "smtp_tls": "none"}
        EmailNotifier({**said, "smtp_from": "orders@service.example", "title": "Test archive"})(notice)
        ((_, recipients, message),) = mail.taken
    assert recipients == ["anna@lab.example"]
    return email.message_from_bytes(message.as_bytes(), policy=default)


@pytest.mark.parametrize("name", EVIL)
def test_a_name_adds_neither_headers_nor_recipients(name: str) -> None:
    message = sent(name)
    assert message.keys() == HEADERS
    assert str(message["To"]) == "anna@lab.example"
    assert str(message["Subject"]).isprintable()
    assert "It stands now at Completed" in message.get_content()


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(EVIL))
def test_what_a_reader_pastes_names_the_order_and_does_nothing_else(text: str) -> None:
    import ast

    from oseo_lab.builtin.notifier_email import _message

    name = f'lake"]; import os  # {text}'
    body = {"message": "m", "digest": "immediate", "entries": [], "name": name, "service": ""}
    body["status"] = StatusInfo(status=Status.COMPLETED)
    notice = Notice(order_id=new_order_id(), kind="email", address="anna@lab.example", body=body)
    message = _message(notice, "orders@service.example", "Test archive")
    (line,) = (each for each in message.get_content().splitlines() if each.startswith("In Python: "))
    code = line.removeprefix("In Python: ").partition("; to hear no more: ")[0]
    parsed = ast.parse(code, mode="eval").body
    assert isinstance(parsed, ast.Subscript)
    assert isinstance(parsed.slice, ast.Constant)
