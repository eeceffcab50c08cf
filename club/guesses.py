"""Digits can be guessed, a QR cannot: after so many wrong ones the QR alone is answered.

Whoever asks for a card's digits asks here first: the public page, a shop's till, the API.
"""

from datetime import datetime
from ipaddress import ip_address, ip_network

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest

from club.kernel import limits

MISSES, MISSES_SECONDS = 8, 15 * 60
MISSES_OF_ALL, ALL_SECONDS = 300, 3600


def address_of(request: HttpRequest) -> str:
    """Who asks; of an IPv6 address the network, since a home has billions of them."""
    address = ip_address(get_adapter(request).get_client_ip(request))
    return str(ip_network(f"{address}/64", strict=False) if address.version == 6 else address)


def shutters(request: HttpRequest, caller: str) -> dict[str, tuple[int, int]]:
    """By key, how many wrong digits in how many seconds: one address, one caller, all."""
    found = {
        f"card-miss:{address_of(request)}": (MISSES, MISSES_SECONDS),
        "card-miss": (MISSES_OF_ALL, ALL_SECONDS),
    }
    if caller:
        found[f"card-miss:{caller}"] = (MISSES, MISSES_SECONDS)
    return found


def is_shut(request: HttpRequest, caller: str = "") -> bool:
    """`caller` names somebody who is known, wherever they call from."""
    return bool(cache.get_many(shutters(request, caller)))


def count_miss(request: HttpRequest, now: datetime, caller: str = "") -> None:
    for key, (most, seconds) in shutters(request, caller).items():
        allowance = limits.hit(key, most, seconds, now)
        if not allowance.remaining:
            cache.set(key, True, allowance.resets_in)
