"""Delivered files."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plugins_of_web_tests import SIZE, content
from serving import Server

from oseo_lab.model.order import ResultFile
from oseo_lab.web.files import Span, _Unsatisfiable, wanted_span
from oseo_lab.wiring import Services

CONTENT = content("P1")
SHA256 = hashlib.sha256(CONTENT)
ETAG = f'"{SHA256.hexdigest()}"'
DIGEST = f"sha-256=:{base64.b64encode(SHA256.digest()).decode()}:"


@pytest.fixture
def delivered(submit: Callable[..., str], finish: Callable[[], None]) -> str:
    """The UUID of an order whose one item is delivered."""
    uuid = submit("P1")
    finish()
    return uuid


@pytest.fixture
def url(server: Server, delivered: str) -> str:
    return f"{server.soap}files/{delivered}/1/data.bin"


@pytest.fixture
def signed(server: Server, http: httpx.Client, delivered: str) -> str:
    """The URL that DescribeResultAccess gives."""
    [found] = http.get(f"{server.api}/orders/{delivered}/results").json()["urls"]
    return str(found["url"])


def record(services: Services, uuid: str) -> ResultFile:
    with services.store.read() as snapshot:
        found = snapshot.results.file(f"urn:uuid:{uuid}", 1, "data.bin")
    assert found is not None
    return found


def status(services: Services, uuid: str) -> str:
    with services.store.read() as snapshot:
        item = snapshot.items.get(f"urn:uuid:{uuid}", 1)
    assert item is not None
    return item.status.status


def until(condition: Callable[[], Any]) -> None:
    """Wait for what the server does after its answer has gone."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "waited 30 s"
        time.sleep(0.02)


def test_a_whole_file(http: httpx.Client, url: str):
    answer = http.get(url)
    assert answer.status_code == 200 and answer.content == CONTENT
    headers = answer.headers
    assert headers["ETag"] == ETAG
    assert headers["Content-Digest"] == headers["Repr-Digest"] == DIGEST
    assert headers["Content-Disposition"] == "attachment; filename*=UTF-8''data.bin"
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["Accept-Ranges"] == "bytes"
    assert "Set-Cookie" not in headers


def test_the_signed_url_opens_it_for_anybody(stranger: httpx.Client, signed: str):
    assert "signature=" in signed
    assert stranger.get(signed).content == CONTENT


def test_head_says_the_same_without_the_bytes(http: httpx.Client, url: str):
    answer = http.head(url)
    assert answer.status_code == 200 and not answer.content
    assert answer.headers["Content-Length"] == str(SIZE) and answer.headers["ETag"] == ETAG


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        (f"bytes={SIZE - 5}-", SIZE - 5, SIZE),
        ("bytes=-7", SIZE - 7, SIZE),
        (f"bytes=-{SIZE * 2}", 0, SIZE),
        (f"bytes=5-{SIZE * 2}", 5, SIZE),
    ],
)
def test_a_range(http: httpx.Client, url: str, asked: str, start: int, end: int):
    answer = http.get(url, headers={"Range": asked})
    assert answer.status_code == 206 and answer.content == CONTENT[start:end]
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{SIZE}"
    assert answer.headers["Repr-Digest"] == DIGEST and "Content-Digest" not in answer.headers


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,3-4", "bytes=5-3", "lines=0-1", "bytes=", "bytes=-", "bytes=a-b"]
)
def test_what_is_not_one_range_gets_it_all(http: httpx.Client, url: str, asked: str):
    assert http.get(url, headers={"Range": asked}).status_code == 200


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", "bytes=-0", "bytes=999999999999999999-"])
def test_a_range_beyond_the_end_is_refused(http: httpx.Client, url: str, asked: str):
    answer = http.get(url, headers={"Range": asked})
    assert answer.status_code == 416 and answer.headers["Content-Range"] == f"bytes */{SIZE}"
    assert answer.headers["Content-Type"] == "application/problem+json"


@given(st.integers(0, 50), st.text(st.sampled_from("bytes=0123456789-, "), max_size=20))
def test_a_range_lies_in_the_file(size: int, asked: str):
    try:
        span = wanted_span(asked, size)
    except _Unsatisfiable:
        return
    assert span is None or 0 <= span.start < span.end <= size


def test_ranges_are_as_written():
    assert wanted_span("bytes=2-4", 10) == Span(2, 5)


def test_resuming_needs_the_same_file(http: httpx.Client, url: str):
    same = http.get(url, headers={"Range": "bytes=5-", "If-Range": ETAG})
    assert same.status_code == 206
    other = http.get(url, headers={"Range": "bytes=5-", "If-Range": '"another"'})
    assert other.status_code == 200 and other.content == CONTENT


def test_what_is_known_is_not_sent_again(http: httpx.Client, url: str):
    answer = http.get(url, headers={"If-None-Match": f'"x", W/{ETAG}'})
    assert answer.status_code == 304 and not answer.content


# ---------------------------------------------------------------------------------------------- may they


@pytest.mark.usefixtures("accounts")
def test_anothers_file_looks_unknown(server: Server, url: str):
    with httpx.Client(auth=("alice", "alice's secret")) as alice:
        others = alice.get(url)
        unknown = alice.get(f"{server.soap}files/00000000-0000-4000-8000-000000000000/1/data.bin")
    assert others.status_code == unknown.status_code == 404
    assert others.content == unknown.content


def test_without_identity_there_is_nothing(stranger: httpx.Client, url: str):
    answer = stranger.get(url)
    assert answer.status_code == 401 and answer.headers["Content-Type"] == "application/problem+json"


def test_a_changed_link_is_refused(stranger: httpx.Client, signed: str):
    expires = re.search(r"expires=(\d+)", signed)
    assert expires is not None
    for changed in (
        signed.replace("data.bin", "item.json"),
        signed.replace("/1/", "/2/"),
        signed.replace(expires[1], str(int(expires[1]) + 1)),
        signed.replace(expires[1], "x"),
        signed.replace(expires[1], ""),
        signed[:-1] + ("0" if signed[-1] != "0" else "1"),
        re.sub("signature=.*", "signature=%ff", signed),
    ):
        answer = stranger.get(changed)
        assert answer.status_code in (400, 403), changed
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_nobody_else_on_this_machine_reads_results_or_keys(server: Server):
    for name in ("results", "scratch", "keys"):
        assert (server.data_dir / name).stat().st_mode & 0o077 == 0, name
    files = [each for each in (server.data_dir / "keys").iterdir()] + [server.data_dir / "orders.sqlite"]
    assert all(each.stat().st_mode & 0o077 == 0 for each in files)


def test_no_log_has_a_links_signature(server: Server, stranger: httpx.Client, signed: str):
    base, _, query = signed.partition("?")
    signature = query.rpartition("=")[2]
    for url in (signed, f"{base}/?{query}", f"{base.replace('/1/', '/01/')}?{query}"):
        stranger.get(url)
        stranger.request("PROPFIND", url, headers={"Referer": signed})
    log = (server.data_dir.parent / "server.log").read_text()
    assert "/01/" in log and "PROPFIND" in log
    assert signature not in log


def test_a_link_ends(services: Services, server: Server, stranger: httpx.Client, delivered: str):
    path = f"files/{delivered}/1/data.bin"
    past = int(time.time()) - 1
    answer = stranger.get(f"{server.soap}{path}?expires={past}&signature={services.sign(path, past)}")
    assert answer.status_code == 410 and "DescribeResultAccess" in answer.json()["detail"]


@pytest.mark.parametrize(
    "tail",
    [
        "1/..%2f..%2f..%2fkeys%2furls",
        "1/%2e%2e/%2e%2e/keys/urls",
        "1//etc/passwd",
        "1/%2fetc%2fpasswd",
        "1/data.bin%00.txt",
        "1/1/data.bin",
        "01/data.bin",
        "-1/data.bin",
        "999999999999/data.bin",
        "1/.",
        "1/",
    ],
)
def test_no_path_leaves_the_delivery(server: Server, delivered: str, tail: str):
    with socket.create_connection(server.address) as connection:
        request = f"GET /user/zoe/oseo/files/{delivered}/{tail} HTTP/1.1\r\nHost: localhost\r\n"
        request += "Connection: close\r\n"
        connection.sendall(f"{request}Authorization: {server.token['Authorization']}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 404 ") and b"application/problem+json" in answer


# ------------------------------------------------------------------------------------- what becomes of it


def test_what_expired_is_gone_and_says_when(services: Services, http: httpx.Client, url: str, delivered: str):
    file = record(services, delivered)
    services.store.write(lambda work: work.results.removed([file]))
    answer = http.get(url)
    assert answer.status_code == 410
    assert f"{file.expires:%Y-%m-%dT%H:%M}" in answer.json()["detail"]


def test_a_file_that_is_not_there_any_more(services: Services, http: httpx.Client, url: str, delivered: str):
    for path in (services.settings.results_dir / delivered).rglob("data.bin"):
        path.unlink()
    assert http.get(url).status_code == 410


def test_a_complete_download_is_noted(services: Services, http: httpx.Client, url: str, delivered: str):
    assert status(services, delivered) == "Completed"
    http.get(url)
    until(lambda: status(services, delivered) == "Downloaded")


def test_a_server_that_ends_before_it_could_say_so_says_it_the_next_time(
    services: Services, http: httpx.Client, url: str, delivered: str
):
    file = record(services, delivered)
    services.store.write(lambda work: work.results.fetched(file, [(0, SIZE)]))
    http.get(url, headers={"Range": "bytes=0-9"})
    assert status(services, delivered) == "Completed"
    http.get(url)
    until(lambda: status(services, delivered) == "Downloaded")


def test_parts_are_united(services: Services, http: httpx.Client, url: str, delivered: str):
    for start, end in ((1_000_000, SIZE), (0, 600_000), (500_000, 999_999)):
        http.get(url, headers={"Range": f"bytes={start}-{end - 1}"})
    until(lambda: len(record(services, delivered).fetched) == 2)
    assert status(services, delivered) == "Completed"
    http.get(url, headers={"Range": "bytes=999999-999999"})
    until(lambda: status(services, delivered) == "Downloaded")


def test_neither_head_nor_metadata_count(
    services: Services, http: httpx.Client, server: Server, delivered: str
):
    http.head(f"{server.soap}files/{delivered}/1/data.bin")
    manifest = http.get(f"{server.soap}files/{delivered}/1/manifest.json")
    assert manifest.status_code == 200 and manifest.json()["files"]
    assert http.get(f"{server.soap}files/{delivered}/1/item.json").json()["type"] == "Feature"
    assert record(services, delivered).fetched == () and status(services, delivered) == "Completed"


@pytest.fixture
def torn(server: Server, url: str) -> Iterator[socket.socket]:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(server.address)
    path = httpx.URL(url).path
    authorization = server.token["Authorization"]
    connection.sendall(
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\n\r\n".encode()
    )
    yield connection
    connection.close()


def test_a_download_broken_off_is_not_complete(
    services: Services, http: httpx.Client, server: Server, delivered: str, torn: socket.socket
):
    assert torn.recv(10) == b"HTTP/1.1 2"
    torn.close()
    assert http.get(f"{server.api}/").status_code == 200
    assert status(services, delivered) == "Completed"


def test_an_expired_record_is_gone_before_the_sweeper_comes(server: Server):
    from oseo_lab.web.files import _check_time

    file = ResultFile(
        order_id="urn:uuid:x", number=1, attempt=1, name="a", size=1, sha256="", media_type="",
        expires=datetime.now(UTC) - timedelta(seconds=1),
    )  # fmt: skip
    with pytest.raises(Exception, match="expired at"):
        _check_time(file, datetime.now(UTC))
