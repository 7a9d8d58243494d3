"""How often one address or token may try something in an hour or minute; it is stored nowhere."""

import logging
import pickle
import time
import zlib
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

HOUR_S = 3600
# What the file and the Redis cache raise when they are full, gone or unreadable.
_CACHE_FAILURES = (OSError, EOFError, ValueError, pickle.PickleError, zlib.error, RedisError)
logger = logging.getLogger(__name__)


def is_too_many(what: str, address: str, most: int, window_s: int = HOUR_S) -> bool:
    """Counts one more try, and tells whether it is more than `most` in this hour; 0: no limit.

    `window_s`: another length than an hour, in s. A cache that fails stops nobody.
    """
    if most <= 0 or not address:
        return False
    key = _key(what, address, window_s)
    try:
        cache.add(key, 0, timeout=window_s)
        return int(cache.incr(key)) > most
    except _CACHE_FAILURES as error:
        logger.warning("The cache failed, so that nobody is counted: %s", error)
        return False


def was_too_many(what: str, address: str, most: int) -> bool:
    """Whether `most` were counted in this hour already; counts nothing."""
    if most <= 0 or not address:
        return False
    try:
        return int(cache.get(_key(what, address), 0)) >= most
    except _CACHE_FAILURES as error:
        logger.warning("The cache failed, so that nobody is counted: %s", error)
        return False


def _key(what: str, address: str, window_s: int = HOUR_S) -> str:
    """Keyed with this installation's secret: no list of addresses can be tried against it."""
    window = int(time.time()) // window_s
    return f"limit:{window}:{salted_hmac('annotation.limiting', f'{what} {address}').hexdigest()}"


def address_of(request: HttpRequest) -> str:
    """Where a request comes from; of IPv6 the network that one household has.

    A forwarded address is believed where a proxy is configured (HTTPS=1), and only the last one,
    which that proxy wrote itself.
    """
    text = request.META.get("REMOTE_ADDR", "")
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if settings.IS_HTTPS and forwarded:
        text = forwarded.rsplit(",", 1)[-1].strip()
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    if address.version == 6 and not address.ipv4_mapped:
        return str(ip_network((address, 64), strict=False).network_address)
    return str(getattr(address, "ipv4_mapped", None) or address)
