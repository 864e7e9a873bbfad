"""Hostile input: five thousand generated bodies, tokens and requests get 4xx, never 5xx, never a hang."""

from __future__ import annotations

import http.client
import json
import socket
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway import API, Gateway, in_thread, settings_at

pytestmark = pytest.mark.slow

_QUIETLY = settings(
    deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], print_blob=True
)
_STATUSES: Counter[str] = Counter()


class Target:
    """The gateway under fire: a kept connection, a conversation, and its token."""

    def __init__(self, gateway: Gateway) -> None:
        self.port = gateway.port
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        status, body = self.send("POST", API, b'{"channel": "web"}')
        assert status == 201
        opened = json.loads(body)
        self.id, self.token = opened["id"], opened["token"]

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        """Send a request; on a connection that was closed after an error, once more on a new one."""
        headers.setdefault("Content-Type", "application/json")
        for _ in range(2):
            try:
                self.connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
                answer = self.connection.getresponse()
                return answer.status, answer.read()
            except (http.client.RemoteDisconnected, ConnectionError):
                self.connection.close()
        raise AssertionError("hung up twice")


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with in_thread(settings_at(tmp_path_factory.mktemp("fuzz"))) as gateway:
        target = Target(gateway)
        yield target
        # It still answers, and answers right.
        status, body = target.send(
            "POST",
            f"{API}/{target.id}/messages",
            b'{"text": "how long?", "message_id": "at last"}',
            Authorization=f"Bearer {target.token}",
        )
        assert (status, json.loads(body)["replies"][0]["topic"]) == (200, "ask_duration")
        target.connection.close()
        assert sum(_STATUSES.values()) >= 5_000, _STATUSES


def check(kind: str, status: int, body: bytes, *, valid: bool = False) -> None:
    _STATUSES[f"{kind} {status}"] += 1
    assert 400 <= status < 500 or (valid and status in (200, 201, 204)), (status, body[:200])
    if status >= 400:
        assert set(json.loads(body)["error"]) == {"code", "message"}


_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=30),
    st.sampled_from(["web", "/restart", "m1", "up"]),
    st.integers(min_value=10**300, max_value=10**301),
)
_VALUES = st.one_of(_LEAVES, st.lists(_LEAVES, max_size=3), st.dictionaries(st.text(max_size=4), _LEAVES, max_size=2))
_BODIES = st.fixed_dictionaries(
    {"message_id": st.one_of(st.text(max_size=140), _VALUES)},
    optional={
        "channel": _VALUES,
        "text": st.one_of(st.text(max_size=60), _VALUES),
        "rating": _VALUES,
        "index": _VALUES,
        "reason": _VALUES,
        "sender": _LEAVES,
        "__proto__": _LEAVES,
    },
)


@given(body=st.one_of(_BODIES, _BODIES, _VALUES), call=st.sampled_from(["", "/messages", "/feedback"]))
@settings(_QUIETLY, max_examples=1_700)
def test_json_of_any_shape(target: Target, body: Any, call: str) -> None:
    path = f"{API}/{target.id}{call}" if call else API
    status, answer = target.send("POST", path, json.dumps(body).encode(), Authorization=f"Bearer {target.token}")
    check("shape", status, answer, valid=isinstance(body, dict))


@given(
    body=st.binary(max_size=400),
    kind=st.sampled_from(["application/json", "text/plain", "application/json;charset=utf-7", "", "\xff"]),
)
@settings(_QUIETLY, max_examples=800)
def test_bytes_of_any_kind(target: Target, body: bytes, kind: str) -> None:
    status, answer = target.send(
        "POST", f"{API}/{target.id}/messages", body, Authorization=f"Bearer {target.token}", Content_Type=kind
    )
    check("bytes", status, answer)


_DOCUMENT = b'{"text": "how long does it last?", "message_id": "m-1", "x": [1, {"y": null}]}'


@given(data=st.data())
@settings(_QUIETLY, max_examples=900)
def test_json_with_bytes_changed(target: Target, data: st.DataObject) -> None:
    body = bytearray(_DOCUMENT)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        how = data.draw(st.sampled_from(["change", "cut", "repeat", "insert"]))
        if how == "change":
            body[at] = data.draw(st.integers(0, 255))
        elif how == "cut":
            del body[at : at + data.draw(st.integers(1, 5))]
        elif how == "repeat":
            body[at:at] = body[at : at + 6] * data.draw(st.integers(1, 50))
        else:
            body[at:at] = data.draw(
                st.sampled_from(
                    [
                        b"\\ud800",
                        b"\\u0000",
                        b"[" * 900,
                        b'{"a":' * 300,
                        b"\xed\xa0\x80",
                        b"9" * 5000,
                        b"1e999",
                        b"NaN",
                        b"-Infinity",
                        b"\xef\xbb\xbf",
                        b"\\",
                        b'"',
                    ]
                )
            )
        if not body:
            break
    status, answer = target.send("POST", f"{API}/{target.id}/messages", bytes(body), Authorization=f"Bearer {target.token}")
    check("changed", status, answer, valid=True)


_TOKEN_LETTERS = st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=255), max_size=120)


@given(token=_TOKEN_LETTERS, method=st.sampled_from(["GET", "DELETE", "POST"]), data=st.data())
@settings(_QUIETLY, max_examples=1_500)
def test_tokens_of_any_kind(target: Target, token: str, method: str, data: st.DataObject) -> None:
    if data.draw(st.booleans()):
        cut = data.draw(st.integers(0, len(target.token) - 1))
        token = target.token[:cut] + token + target.token[cut + data.draw(st.integers(1, 3)) :]
    if token == target.token:
        return
    path = f"{API}/{target.id}" + ("/messages" if method == "POST" else "")
    scheme = data.draw(st.sampled_from(["Bearer ", "bearer ", "Basic ", "", "Bearer\t"]))
    status, answer = target.send(method, path, _DOCUMENT if method == "POST" else None, Authorization=scheme + token)
    check("token", status, answer)
    # DEL is no character of a header.
    assert status == (400 if "\x7f" in token else 401)


@given(
    name=st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60),
    method=st.sampled_from(["GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"]),
)
@settings(_QUIETLY, max_examples=500)
def test_ids_and_paths_of_any_kind(target: Target, name: str, method: str) -> None:
    status, _ = target.send(method, f"{API}/{name}", None, Authorization=f"Bearer {target.token}")
    _STATUSES[f"path {status}"] += 1
    assert 400 <= status < 500


@given(
    raw=st.one_of(
        st.binary(min_size=1, max_size=200),
        st.lists(
            st.sampled_from(
                [
                    b"GET",
                    b"POST",
                    b" ",
                    b"/",
                    b"/api/v1/conversations",
                    b"HTTP/1.1",
                    b"\r\n",
                    b"\n",
                    b"Host: x\r\n",
                    b"Content-Length: ",
                    b"5",
                    b"-1",
                    b"Transfer-Encoding: chunked\r\n",
                    b"\r\n\r\n",
                    b"\x00",
                    b":",
                    b"Expect: 100-continue\r\n",
                    b"0\r\n\r\n",
                    b"Upgrade: websocket\r\n",
                    b"*",
                    b"%",
                    b"?",
                    b"//[",
                ]
            ),
            max_size=25,
        ).map(b"".join),
    )
)
@settings(_QUIETLY, max_examples=400)
def test_bytes_that_are_no_request(target: Target, raw: bytes) -> None:
    with socket.create_connection(("127.0.0.1", target.port), timeout=5) as connection:
        connection.sendall(raw + b"\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while piece := connection.recv(65_536):
                answer += piece
        except ConnectionResetError:
            pass
    _STATUSES["raw"] += 1
    assert b"HTTP/1.1 5" not in answer, (raw, answer[:300])
