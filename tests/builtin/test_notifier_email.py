"""Mail over a real mail server: secured, logged in, and what becomes of it when it cannot be."""

from __future__ import annotations

import socket

import pytest

from oseo_lab.builtin import notifier_email
from oseo_lab.builtin.notifier_email import EmailNotifier
from oseo_lab.model.job import FailureClass
from oseo_lab.model.order import StatusInfo, new_order_id
from oseo_lab.model.status import Status
from oseo_lab.ports import Notice, ProcessingFailed
from tests.certificates import certificate
from tests.mail_server import taking_mail

SECRET = "correct horse"


def notifier(mail, **settings):
    said = {"smtp_host": "localhost", "smtp_port": mail.port, "smtp_tls": "none"}
    return EmailNotifier({**said, "smtp_from": "orders@service.example", "title": "Test archive", **settings})


def notice(**said):
    entry = {"event": "completed", "at": "2026-01-02T03:04:05Z", "status": "Completed", "info": "2 items"}
    body = {
        "message": "m-1",
        "digest": "immediate",
        "entries": [entry],
        "name": "été 2026",
        "status": StatusInfo(status=Status.COMPLETED),
        "service": "https://service.example/oseo/",
        **said,
    }
    return Notice(order_id=new_order_id(), kind="email", address="anna@lab.example", body=body)


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("tls"), "localhost")


def test_a_message_says_what_happened_and_is_the_same_however_often_it_is_sent():
    with taking_mail() as mail:
        for _ in range(2):
            notifier(mail)(notice())
        (_, _, first), (_, _, second) = mail.taken
    assert str(first["Subject"]) == "été 2026: completed"
    assert first["Message-ID"] == second["Message-ID"] == "<m-1@service.example>"
    text = mail.texts()[0]
    assert "2026-01-02 03:04 UTC  completed: 2 items" in text
    assert 'lab.orders["été 2026"].notifications.stop()' in text
    assert "https://service.example/oseo/" in text


def test_it_logs_in_under_tls_and_reads_the_password_anew(tmp_path, monkeypatch, certified):
    server, client = certified
    monkeypatch.setattr(notifier_email, "_context", lambda: client)
    password = tmp_path / "password"
    password.write_text("wrong\n")
    with taking_mail(tls=server, login=("oseo", SECRET)) as mail:
        send = notifier(mail, smtp_tls="starttls", smtp_user="oseo", smtp_password_file=str(password))
        with pytest.raises(ProcessingFailed) as failed:
            send(notice())
        assert "535" in failed.value.reason, failed.value.detail
        assert SECRET not in str(failed.value)
        password.write_text(f"{SECRET}\n")
        send.check()
        assert not mail.taken
        send(notice())
        assert len(mail.taken) == 1
        assert mail.secured == 3


def test_a_mail_server_nobody_vouches_for_gets_nothing(certified):
    with taking_mail(tls=certified[0]) as mail:
        with pytest.raises(ProcessingFailed) as failed:
            notifier(mail, smtp_tls="starttls")(notice())
        assert failed.value.failure_class is FailureClass.TRANSIENT
        assert not mail.taken


def test_a_server_without_tls_gets_nothing_where_it_is_wanted():
    with taking_mail() as mail:
        with pytest.raises(ProcessingFailed) as failed:
            notifier(mail, smtp_tls="starttls")(notice())
        assert failed.value.failure_class is FailureClass.TRANSIENT
        assert not mail.taken


def test_a_server_that_is_away_is_tried_again_and_where_it_is_stays_untold():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        away = EmailNotifier(
            {
                "smtp_host": "127.0.0.1",
                "smtp_port": taken.getsockname()[1],
                "smtp_tls": "none",
                "smtp_from": "a@b.example",
            }
        )
        with pytest.raises(ProcessingFailed, match="the mail server could not be reached") as failed:
            away(notice())
    assert failed.value.failure_class is FailureClass.TRANSIENT
    assert "127.0.0.1" not in failed.value.reason


def test_a_message_that_was_taken_is_sent_whatever_the_server_says_at_parting():
    with taking_mail(farewell="421 too busy for manners") as mail:
        notifier(mail)(notice())
        assert len(mail.taken) == 1


def test_without_a_server_it_says_so():
    with pytest.raises(ProcessingFailed, match="the operator has named no smtp_host"):
        EmailNotifier({})(notice())


def test_where_operators_do_not_allow_mail_any_more_none_goes():
    with taking_mail() as mail:
        notifier(mail, mail_domains=("LAB.example",))(notice())
        with pytest.raises(ProcessingFailed, match="mail_domains says where") as refused:
            notifier(mail, mail_domains=("uni.example",))(notice())
        assert len(mail.taken) == 1
    assert refused.value.failure_class is not FailureClass.TRANSIENT
