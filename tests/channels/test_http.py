"""What holds for every request: headers, origins, methods, limits, and requests that are none."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hipwise.channels import wire
from hipwise.channels.rates import RateLimits, Windows, network
from hipwise.channels.responses import ApiError
from hipwise.errors import HipwiseError
from hipwise.settings import Settings
from tests.gateway import API, Gateway, running, settings_at

FRIEND = "https://clinic.example"
ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
}


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running(settings_at(tmp_path, origins=(FRIEND,))) as gateway:
        yield gateway


def status(raw: bytes) -> int:
    found = re.match(rb"HTTP/1\.1 (\d{3}) ", raw)
    assert found, raw[:200]
    return int(found[1])


def headers_of(raw: bytes) -> dict[str, str]:
    lines = raw.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def check_security(headers: dict[str, str]) -> None:
    assert {name: headers.get(name) for name in ALWAYS} == ALWAYS
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in policy
    assert "*" not in policy


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("GET", "/nothing", 404),
        ("POST", "/", 405),
        ("GET", "/healthz", 200),
        ("HEAD", "/healthz", 200),
        ("GET", "/readyz", 200),
        ("GET", "/metrics", 200),
        ("GET", "/api/v1/openapi.json", 200),
        ("GET", "/api/v1/topics", 200),
        ("HEAD", "/api/v1/topics", 200),
        ("GET", API, 405),
        ("PUT", API, 405),
        ("POST", API, 415),
        ("POST", API + "/", 404),
        ("GET", API + "/x", 401),
        ("GET", "/api/v1/nothing", 404),
        ("OPTIONS", API, 405),
        ("TRACE", "/", 405),
        ("BREW", "/", 405),
        ("GET", "/figures/", 404),
    ],
)
async def test_every_answer_has_the_security_headers(gateway: Gateway, method: str, path: str, expected: int) -> None:
    answer = await gateway.client.request(method, path)
    assert answer.status_code == expected
    check_security(dict(answer.headers))
    assert "server" not in answer.headers
    if expected >= 400:
        assert answer.headers["cache-control"] == "no-store"
        if method != "HEAD":
            assert set(answer.json()["error"]) == {"code", "message"}
    if expected == 405:
        assert answer.headers["allow"]


RAW = {
    "nonsense": b"nonsense\r\n\r\n",
    "no protocol": b"GET /\r\n\r\n",
    "other protocol": b"GET / HTTP/2.0\r\nHost: x\r\n\r\n",
    "TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40 + b"\r\n\r\n",
    "bad target": b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n",
    "target not ASCII": b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    "space in target": b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
    "lower-case method": b"get / HTTP/1.1\r\nHost: x\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "no colon": b"GET / HTTP/1.1\r\nHost: x\r\nabc\r\n\r\n",
    "space before colon": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length : 5\r\n\r\nGET /",
    "folded header": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "bare line feed": b"POST / HTTP/1.1\r\nHost: x\r\nA: b\nContent-Length: 5\r\n\r\nGET /",
    "NUL": b"GET / HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n",
    "no length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \r\n\r\n",
    "negative length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    "signed length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nGET /",
    "grouped length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1_0\r\n\r\nGET / HTTP",
    "hexadecimal length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x5\r\n\r\nGET /",
    "two lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nGET / ",
    "listed lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\nGET /",
    "length and coding": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "unknown coding": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "upper-case coding": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
    "two codings": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding in 1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "unknown expectation": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: tea\r\n\r\nx",
}
CHUNKS = {
    "chunk without size": b"\r\nabc\r\n0\r\n\r\n",
    "signed chunk": b"+5\r\nhello\r\n0\r\n\r\n",
    "prefixed chunk": b"0x5\r\nhello\r\n0\r\n\r\n",
    "grouped chunk": b"0_5\r\nhello\r\n0\r\n\r\n",
    "extended chunk": b"5;a=b\r\nhello\r\n0\r\n\r\n",
    "long chunk size": b"0000000000000000000005\r\nhello\r\n0\r\n\r\n",
    "trailer": b"5\r\nhello\r\n0\r\nA: b\r\n\r\n",
    "negative chunk": b"-5\r\nhello\r\n0\r\n\r\n",
}
RAW |= {
    name: f"POST {API} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    + body
    for name, body in CHUNKS.items()
}


@pytest.mark.parametrize("name", RAW)
async def test_an_ambiguous_request_is_refused_and_ends_the_connection(gateway: Gateway, name: str) -> None:
    hidden = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = await gateway.raw(RAW[name] + hidden)
    assert status(answer) in ((417,) if name == "unknown expectation" else (400,))
    check_security(headers_of(answer))
    assert headers_of(answer)["connection"] == "close"
    # What came after it in the same packet is not taken for a request of its own.
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"alive" not in answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "malformed"
    assert (await gateway.client.get("/healthz")).status_code == 200


async def test_what_is_unusual_and_allowed_is_served(gateway: Gateway) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"channel"'
        yield b': "web"}'

    answer = await gateway.client.post(API, content=chunks(), headers={"Content-Type": "application/json; charset=utf-8"})
    assert answer.status_code == 201
    two = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answers = await gateway.raw(two)
    assert answers.count(b"HTTP/1.1 200 OK") == 2
    old = await gateway.raw(b"GET /healthz HTTP/1.0\r\n\r\n")
    assert status(old) == 200
    body = b'{"channel": "web"}'
    head = f"POST {API} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
    asked = await gateway.raw(f"{head}Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n".encode(), body, pause=0.05)
    assert asked.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created")


async def test_a_head_that_is_too_large(gateway: Gateway) -> None:
    answer = await gateway.raw(b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 20_000 + b"\r\n\r\n")
    assert status(answer) == 431
    check_security(headers_of(answer))


@pytest.mark.parametrize("body", ["declared", "chunked"])
async def test_a_body_that_is_too_large_is_not_waited_for(gateway: Gateway, body: str) -> None:
    head = f"POST {API} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    began = time.monotonic()
    if body == "declared":
        answer = await gateway.raw(f"{head}Content-Length: 20000\r\n\r\n".encode())
    else:
        answer = await gateway.raw(f"{head}Transfer-Encoding: chunked\r\n\r\n5000\r\n".encode() + b"x" * 20_480)
    assert status(answer) == 413
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/figures/../../pyproject.toml",
        "/figures/..%2f..%2fpyproject.toml",
        "//etc/passwd",
        "/etc/passwd",
        "/.git/config",
        "/web/dist/index.html",
        "/var/hipwise.sqlite",
        "/hipwise.key",
        "/assets/%00",
        "/figures%2f..%2f..%2fdomain.yml",
        "/..\\..\\domain.yml",
    ],
)
async def test_no_path_leads_out_of_the_pages(gateway: Gateway, path: str) -> None:
    answer = await gateway.raw(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert status(answer) == 404, answer[:300]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/version"),
        ("GET", "/status"),
        ("GET", "/domain"),
        ("PUT", "/model"),
        ("DELETE", "/model"),
        ("POST", "/model/train"),
        ("POST", "/model/parse"),
        ("POST", "/model/predict"),
        ("POST", "/model/test/stories"),
        ("GET", "/conversations/x/tracker"),
        ("POST", "/conversations/x/tracker/events"),
        ("POST", "/conversations/x/execute"),
        ("POST", "/conversations/x/trigger_intent"),
        ("POST", "/webhooks/rest/webhook"),
        ("GET", "/webhooks/rest/"),
        ("POST", "/webhooks/callback/webhook"),
        ("GET", "/socket.io/?EIO=4&transport=polling"),
        ("POST", "/webhook"),
        ("GET", "/actions"),
    ],
)
async def test_rasas_own_interfaces_are_not_there(gateway: Gateway, method: str, path: str) -> None:
    answer = await gateway.client.request(method, path, json={"sender": "x", "message": "hi"})
    # 405 is what any path without a page says to another method than GET.
    assert answer.status_code == (404 if method == "GET" else 405)
    assert gateway.processor.heard == []


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (FRIEND, True),
        ("https://evil.example", False),
        ("null", False),
        ("", False),
        (FRIEND + ".evil.example", False),
        ("http://clinic.example", False),
        (FRIEND + ":8443", False),
        ("https://xclinic.example", False),
    ],
)
async def test_only_listed_origins_may_call(gateway: Gateway, origin: str, allowed: bool) -> None:
    answer = await gateway.client.post(API, json={"channel": "web"}, headers={"Origin": origin})
    assert answer.status_code == (201 if allowed else 403)
    assert answer.headers.get("access-control-allow-origin") == (origin if allowed else None)
    assert "access-control-allow-credentials" not in answer.headers
    assert "origin" in answer.headers["vary"].lower()
    asked = await gateway.client.options(
        API,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )
    assert asked.status_code == (204 if allowed else 403)
    assert asked.headers.get("access-control-allow-origin") == (origin if allowed else None)
    if allowed:
        assert asked.headers["access-control-allow-headers"] == "Authorization, Content-Type"
        refused = await gateway.client.get(API + "/x", headers={"Origin": origin})
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, origin), "errors are readable"
    assert gateway.database.execute("SELECT count(*) FROM conversations").fetchone() == (1 if allowed else 0,)


async def test_our_own_pages_may_call(gateway: Gateway) -> None:
    for origin in (f"http://127.0.0.1:{gateway.port}", f"https://127.0.0.1:{gateway.port}"):
        assert (await gateway.client.post(API, json={"channel": "web"}, headers={"Origin": origin})).status_code == 201


@pytest.mark.parametrize("text", ["*", "https://*.example.org", "example.org", "https://a.example/path", "null"])
def test_a_wildcard_is_no_origin(text: str) -> None:
    with pytest.raises(HipwiseError, match="HIPWISE_ORIGINS"):
        Settings.from_environment({"HIPWISE_ORIGINS": f"https://a.example,{text}"})


async def test_by_default_no_other_origin_may_call(tmp_path: Path) -> None:
    async with running(settings_at(tmp_path)) as gateway:
        assert (await gateway.client.post(API, json={"channel": "web"}, headers={"Origin": FRIEND})).status_code == 403


async def test_messages_of_one_conversation_are_limited(tmp_path: Path) -> None:
    async with running(settings_at(tmp_path, rate_messages="3/minute")) as gateway:
        one, other = await gateway.open(), await gateway.open()
        answers = [await one.say("how long?", f"m{number}") for number in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert 1 <= int(answers[3].headers["Retry-After"]) <= 60
        assert answers[3].json()["error"]["code"] == "too_many_requests"
        assert "replies" not in answers[3].json()
        assert (await other.say("how long?")).status_code == 200
        urgent = await one.say("I fell and cannot stand", "m5")
        assert (urgent.status_code, urgent.json()["replies"][0]["kind"]) == (429, "urgent")
        assert (await gateway.client.delete(one.path, headers=one.headers)).status_code == 204, "erasing is always possible"


async def test_one_address_is_limited(tmp_path: Path) -> None:
    async with running(settings_at(tmp_path, rate_address="5/minute", rate_open="2/minute")) as gateway:
        answers = [await gateway.client.post(API, json={"channel": "web"}) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [201, 201, 429]
        # Guessing tokens counts too.
        answers = [await gateway.client.get(f"{API}/x") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [401, 401, 429]
        assert (await gateway.client.get("/healthz")).status_code == 200


@pytest.mark.parametrize(("proxies", "limited"), [(0, True), (1, False)])
async def test_a_forwarded_address_counts_only_behind_a_proxy(tmp_path: Path, proxies: int, limited: bool) -> None:
    async with running(settings_at(tmp_path, rate_open="1/minute", proxies=proxies)) as gateway:
        for number in range(3):
            # The last entry is the proxy's; what stands before it the client may have made up.
            forged = {
                "X-Forwarded-For": f"10.9.9.9, 10.0.0.{number}",
                "X-Real-IP": f"10.1.0.{number}",
                "Forwarded": f"for=10.2.0.{number}",
            }
            answer = await gateway.client.post(API, json={"channel": "web"}, headers=forged)
            assert answer.status_code == (429 if limited and number else 201)


def test_the_window_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "time", lambda: now)
    limits = RateLimits(Settings(rate_messages="3/minute"))
    for at in (1000.0, 1030.0, 1059.0):
        now = at
        limits.hit(limits.messages, "a")
    with pytest.raises(ApiError) as refused:
        limits.hit(limits.messages, "a")
    assert refused.value.headers == {"Retry-After": "1"}
    limits.hit(limits.messages, "b")
    now = 1061.0
    limits.hit(limits.messages, "a")
    with pytest.raises(ApiError) as refused:
        limits.hit(limits.messages, "a")
    assert refused.value.headers == {"Retry-After": "29"}


def test_windows_that_are_over_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "time", lambda: now)
    windows = Windows()
    for number in range(4_990):
        assert windows.acquire_entry(f"k{number}", 1, 60)
    now = 1100.0
    for _ in range(20):
        windows.acquire_entry("last", 100, 60)
    assert windows.reset() == 1


def test_an_address_is_counted_as_one_customer() -> None:
    assert network("192.0.2.7") == "192.0.2.7"
    assert network("[2001:db8:1:2:3::4]") == network("2001:db8:1:2:ffff::1") != network("2001:db8:1:3::1")
    assert network("::ffff:192.0.2.7") == "192.0.2.7"
    assert network("fe80::1%eth0") == "fe80::/64"
    assert network("not:an:address") == "not:an:address"


@pytest.mark.parametrize("text", ["often", "3", "3/fortnight", "-1/minute"])
def test_a_limit_that_is_none_is_said_so(text: str) -> None:
    with pytest.raises(HipwiseError, match="HIPWISE_RATE_OPEN"):
        RateLimits(Settings(rate_open=text))


@pytest.mark.parametrize("stage", ["head", "body", "unread body"])
async def test_a_client_that_sends_drop_by_drop_is_cut_off(tmp_path: Path, stage: str) -> None:
    async with running(settings_at(tmp_path), REQUEST_TIMEOUT=0.3, KEEP_ALIVE_TIMEOUT=5) as gateway:
        path = "/nothing" if stage == "unread body" else API
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n".encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        began = time.monotonic()
        writer.write(head[:-2] if stage == "head" else head + b"\r\n")
        received = asyncio.create_task(reader.read())
        while not received.done() and time.monotonic() - began < 4:
            writer.write(b"x")
            await asyncio.sleep(0.05)
        answer = await asyncio.wait_for(received, 1)
        writer.close()
        assert status(answer) == (405 if stage == "unread body" else 408)
        check_security(headers_of(answer))
        assert time.monotonic() - began < 3


async def test_a_websocket_upgrade_does_not_switch_the_timeouts_off(tmp_path: Path) -> None:
    async with running(settings_at(tmp_path), REQUEST_TIMEOUT=0.3) as gateway:
        answer = await gateway.raw(
            f"POST {API} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Content-Type: application/json\r\nContent-Length: 10\r\n\r\n".encode()
        )
        assert status(answer) == 408
        plain = await gateway.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUpgrade: websocket\r\n\r\n")
        assert status(plain) == 200


async def test_there_are_only_so_many_connections(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MOST_CONNECTIONS", 3)
    held = [await asyncio.open_connection("127.0.0.1", gateway.port) for _ in range(3)]
    with pytest.raises((ConnectionResetError, AssertionError)):
        status(await gateway.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
    for _, writer in held:
        writer.close()
    await asyncio.sleep(0.05)
    assert status(await gateway.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")) == 200


@pytest.mark.parametrize("path", ["/", "/api/v1/topics", "/api/v1/openapi.json"])
async def test_what_stays_the_same_is_packed_and_revalidated(gateway: Gateway, path: str) -> None:
    plain = await gateway.client.get(path, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    packed = await gateway.client.get(path, headers={"Accept-Encoding": "br, gzip;q=0.8"})
    if len(plain.content) > 1000:
        assert packed.headers["content-encoding"] == "gzip"
        assert int(packed.headers["content-length"]) < len(plain.content)
    assert packed.content == plain.content
    refused = await gateway.client.get(path, headers={"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in refused.headers
    assert "max-age" in plain.headers["cache-control"]
    assert "accept-encoding" in plain.headers["vary"].lower()
    for tag in (plain.headers["etag"], f"W/{plain.headers['etag']}", f'"x", {plain.headers["etag"]}', "*"):
        again = await gateway.client.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b""), tag
        assert again.headers["etag"] == plain.headers["etag"]
        check_security(dict(again.headers))
    assert (await gateway.client.get(path, headers={"If-None-Match": '"other"'})).status_code == 200


async def test_our_pages_hold_nothing_that_their_policy_forbids(gateway: Gateway) -> None:
    page = (await gateway.client.get("/")).text
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>|<style\b|\sstyle=|\son[a-z]+=|javascript:", page, re.IGNORECASE)
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//(?!clinic)""", page), "nothing is loaded from elsewhere"


async def test_an_error_of_ours_says_nothing_about_itself(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(channel: str) -> None:
        raise ValueError("a secret detail")

    monkeypatch.setattr(gateway.conversations, "open", broken)
    answer = await gateway.client.post(API, json={"channel": "web"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    assert "secret detail" not in answer.text
    check_security(dict(answer.headers))
    record = next(record for record in caplog.records if record.getMessage() == "request_failed")
    assert (record.route, record.error) == ("api/v1/conversations", "ValueError")  # type: ignore[attr-defined]
    assert "secret detail" not in str(record.__dict__)


async def test_metrics_name_nobody(gateway: Gateway) -> None:
    chat = await gateway.open()
    await chat.say("how long is my zanzibar?")
    text = (await gateway.client.get("/metrics")).text
    assert 'hipwise_turns_total{channel="web"}' in text
    assert chat.id not in text
    assert "zanzibar" not in text
    assert "127.0.0.1" not in text


async def test_topics_are_every_answer(gateway: Gateway) -> None:
    body = (await gateway.client.get("/api/v1/topics")).json()
    assert len(body["topics"]) >= 40
    assert len({topic["id"] for topic in body["topics"]}) == len(body["topics"])
    for topic in body["topics"]:
        assert topic["id"].startswith("ask_")
        assert topic["title"]
        assert topic["reply"]["facts"]
        assert topic["reply"]["references"]
    assert body["urgent"]["kind"] == "urgent"


def test_packing_is_repeatable() -> None:
    from hipwise.channels.responses import Fixed

    one, two = (Fixed(b"words " * 500, "text/html", {}) for _ in range(2))
    assert one._gzip == two._gzip
    assert one._gzip is not None
    assert gzip.decompress(one._gzip) == one.body


async def test_head_has_the_length_and_no_body(gateway: Gateway) -> None:
    answer = await gateway.raw(b"HEAD /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.endswith(b"\r\n\r\n")
    body = (await gateway.client.get("/healthz")).content
    assert int(headers_of(answer)["content-length"]) == len(body) > 0
