"""The delivery log and order events, over the JSON API."""

from __future__ import annotations

from datetime import UTC, datetime

from lxml import etree

from oseo_lab.model.order import new_order_id
from oseo_lab.ports import Notice, Sending

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
URL = "https://receiver.example/cb"


def test_what_waits_and_every_try_are_listed_without_what_they_say(server, services, http, submit):
    order_id = f"urn:uuid:{submit('P1')}"

    def owe(work):
        body = {"relates_to": "urn:m:secret", "final": True}
        for _ in range(2):
            work.outbox.add([Notice(order_id=order_id, kind="SubmitResponse", address=URL, body=body)])
        (notice,) = [each for each in work.outbox.claim(100, AT, AT) if each.order_id == order_id]
        work.sendings.add(
            [
                Sending(
                    order_id=order_id,
                    kind="SubmitResponse",
                    address=URL,
                    at=AT,
                    attempt=1,
                    outcome="answered HTTP 500",
                    notice_id=notice.notice_id,
                )
            ]
        )

    services.store.write(owe)
    response = http.get(f"{server.api}/orders/{order_id}/notices")
    assert response.status_code == 200
    assert "urn:m:secret" not in response.text
    told = response.json()
    assert [(each["kind"], each["address"], each["attempts"]) for each in told["waiting"]] == [
        ("SubmitResponse", URL, 1),
        ("SubmitResponse", URL, 0),
    ]
    (line,) = told["sendings"]
    assert (line["at"], line["outcome"], line["attempt"]) == ("2026-01-02T03:04:05Z", "answered HTTP 500", 1)


def test_an_unknown_order_and_a_stranger_are_refused(server, http, stranger, submit):
    mine = submit("P1")
    assert http.get(f"{server.api}/orders/{new_order_id()}/notices").status_code == 404
    assert stranger.get(f"{server.api}/orders/{mine}/notices").status_code in (401, 403)


def test_subscriptions_over_json(server, http):
    def send(name, **body):
        return http.post(f"{server.api}/operations/{name}", json=body)

    made = send("Subscribe", consumer="https://consumer.example/", topic="OrderFailure")
    assert made.status_code == 200, made.text
    assert made.json()["reference"].startswith(f"{server.soap}?subscription=")
    assert send("Unsubscribe", reference=made.json()["reference"]).status_code == 200
    refused = send("Unsubscribe", reference=made.json()["reference"])
    assert refused.status_code == 422
    assert send("Subscribe", consumer="file:///etc/passwd").status_code == 422
    assert send("Subscribe", consumer="https://consumer.example/", topic="Sunrise").status_code in (400, 422)


def test_the_schema_of_events_is_open_to_everybody(server, stranger):
    response = stranger.get(f"{server.soap}order-events.xsd")
    assert response.status_code == 200
    assert etree.XMLSchema(etree.fromstring(response.content))
    assert stranger.head(f"{server.soap}order-events.xsd").status_code == 200
