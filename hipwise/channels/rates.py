"""How often one may ask."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import deque

from limits import RateLimitItem, parse
from limits.storage import MovingWindowSupport, Storage
from limits.strategies import MovingWindowRateLimiter

from hipwise.channels.responses import ApiError
from hipwise.errors import HipwiseError
from hipwise.settings import Settings

#: Calls for staff of one kiosk. Someone in pain presses more than once; the staff's telephone need not ring each time.
_STAFF = "6/minute"
#: Hits between two sweeps of what is over.
_SWEEP_EVERY = 5_000


class Windows(Storage, MovingWindowSupport):
    """Keeps the moving windows of `limits` in this process, without a thread.

    The library's own memory storage starts a timer thread for every request that comes 10 ms after the last, which then
    walks all keys; here a key is tidied when it is hit, and all of them every few thousand hits.
    """

    STORAGE_SCHEME = ["hipwise"]  # noqa: RUF012 - the library's own spelling

    def __init__(self) -> None:
        super().__init__()
        self._hits: dict[str, deque[float]] = {}
        self._ends: dict[str, float] = {}
        self._until_sweep = _SWEEP_EVERY

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count ``amount`` hits of ``key`` if fewer than ``limit`` happened within the last ``expiry`` seconds."""
        self._until_sweep -= 1
        if self._until_sweep <= 0:
            self._sweep()
        now = time.time()
        hits = self._hits.get(key)
        if hits is None:
            hits = self._hits[key] = deque()
        while hits and hits[0] <= now - expiry:
            hits.popleft()
        if len(hits) + amount > limit:
            return False
        hits.extend([now] * amount)
        self._ends[key] = now + expiry
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return when the oldest hit within the window was, and how many there are."""
        now = time.time()
        hits = [at for at in self._hits.get(key, ()) if at > now - expiry]
        return (hits[0], len(hits)) if hits else (now, 0)

    def _sweep(self) -> None:
        self._until_sweep = _SWEEP_EVERY
        now = time.time()
        for key in [key for key, end in self._ends.items() if end <= now]:
            self.clear(key)

    @property
    def base_exceptions(self) -> type[Exception]:
        """No exception of a backend is to be expected."""
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Fixed windows are not kept here."""
        raise NotImplementedError

    def get(self, key: str) -> int:
        """Return the number of hits that are remembered."""
        return len(self._hits.get(key, ()))

    def get_expiry(self, key: str) -> float:
        """Return when the window of ``key`` ends (Unix time)."""
        return self._ends.get(key, time.time())

    def check(self) -> bool:
        """Return True: memory does not fail."""
        return True

    def reset(self) -> int:
        """Forget everything, and return how many keys there were."""
        count = len(self._hits)
        self._hits.clear()
        self._ends.clear()
        return count

    def clear(self, key: str) -> None:
        """Forget ``key``."""
        self._hits.pop(key, None)
        self._ends.pop(key, None)


class RateLimits:
    """Counts requests per key in a moving window, in this process.

    Raises:
        HipwiseError: a limit of the settings is not one.
    """

    def __init__(self, settings: Settings) -> None:
        self._limiter = MovingWindowRateLimiter(Windows())
        self.messages = _limit("HIPWISE_RATE_MESSAGES", settings.rate_messages)
        self.address = _limit("HIPWISE_RATE_ADDRESS", settings.rate_address)
        self.open = _limit("HIPWISE_RATE_OPEN", settings.rate_open)
        self.staff = parse(_STAFF)

    def hit(self, limit: RateLimitItem, *key: str) -> None:
        """Count one request.

        Raises:
            ApiError: 429 with ``Retry-After`` in whole seconds.
        """
        if not self._limiter.hit(limit, *key):
            reset = self._limiter.get_window_stats(limit, *key).reset_time
            wait = max(1, math.ceil(reset - time.time()))
            message = f"Too many requests. Please wait {wait} seconds."
            raise ApiError(429, "too_many_requests", message, headers={"Retry-After": str(wait)})


def _limit(variable: str, text: str) -> RateLimitItem:
    try:
        return parse(text)
    except ValueError as error:
        raise HipwiseError(f"{variable}={text!r}: a limit looks like 30/minute.") from error


def network(address: str) -> str:
    """Return what is counted as one caller: an IPv4 address, or the /64 that one IPv6 customer has whole."""
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address.strip("[]").partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((parsed, 64), strict=False))
