"""A request to an address that somebody typed: only where it may go, and never elsewhere.

The name is looked up once, its addresses are checked, and the connection goes to the very address
that was checked: a name that answers otherwise the second time gains nothing.
"""

import socket
import ssl
import threading
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

LONGEST_URL = 500
TIMEOUT_S = 6.0
# An IPv4 address inside an IPv6 one (RFC 6052): a translator would carry it to that one.
_TRANSLATED = IPv6Network("64:ff9b::/96")
# All that is routed in IPv6 (RFC 4291). Outside it lie further ways to write an inner IPv4 address
# (64:ff9b:1::/48, ::ffff:0:0:0/96, ::/96) and the old site-local ones, which Python calls global.
_ROUTED = IPv6Network("2000::/3")
Address = IPv4Address | IPv6Address


def checked_address(url: str) -> tuple[SplitResult, str]:
    """The parts of a URL, and the address to connect to.

    Raises ValueError where it is no http(s) URL, has no address, or has one that is not public
    (loopback, private, link-local, reserved), unless WEBHOOKS_TO_PRIVATE_ADDRESSES allows it.
    """
    parts = _parts_of(url)
    addresses = _looked_up(parts)
    closed = [address for address in addresses if not _is_public(address)]
    if closed and not settings.WEBHOOKS_TO_PRIVATE_ADDRESSES:
        raise ValueError(
            f"Found {parts.hostname} at {closed[0]}; expected a public address. "
            "On an intranet set WEBHOOKS_TO_PRIVATE_ADDRESSES=1."
        )
    return parts, str(addresses[0])


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """The status of the answer; a redirect is an answer and is not followed.

    Raises ValueError (see `checked_address`), OSError or HTTPException where none came in time.
    """
    parts, address = checked_address(url)
    connection = _connection(parts, address)
    # One read may take TIMEOUT_S; all of them together no longer than that either.
    guard = threading.Timer(TIMEOUT_S, _cut_off, [connection])
    try:
        connection.connect()
        guard.start()
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body, dict(headers))
        return connection.getresponse().status
    finally:
        guard.cancel()
        connection.close()


def _parts_of(url: str) -> SplitResult:
    expected = f"expected http:// or https:// with a host, at most {LONGEST_URL} characters"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"Found address {url!r} ({error}); {expected}.") from None
    is_plain = url.isascii() and url.isprintable() and " " not in url
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or not is_plain:
        raise ValueError(f"Found address {url!r}; {expected}.")
    if parts.username is not None or len(url) > LONGEST_URL:
        raise ValueError(f"Found address {url!r}; {expected}, without a name and password.")
    return parts


def _looked_up(parts: SplitResult) -> list[Address]:
    host = parts.hostname or ""
    try:
        found = socket.getaddrinfo(host, _port_of(parts), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ValueError(f"Found no address of {host!r}; expected a name that resolves.") from None
    return [ip_address(str(row[4][0]).partition("%")[0]) for row in found]


def _port_of(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _is_public(address: Address) -> bool:
    """Whether an address, and every one that it carries inside, is reachable from everywhere."""
    if isinstance(address, IPv6Address):
        inside = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in _TRANSLATED:
            inside.append(IPv4Address(int(address) & 0xFFFFFFFF))
        carried = [inner for inner in inside if inner is not None]
        if carried:
            return all(_is_public(inner) for inner in carried)
        if address not in _ROUTED or address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _connection(parts: SplitResult, address: str) -> HTTPConnection:
    host, port = parts.hostname or "", _port_of(parts)
    if parts.scheme == "http":
        return _PinnedHTTP(host, port, address)
    return _PinnedHTTPS(host, port, address)


class _PinnedHTTP(HTTPConnection):
    """Says the name, connects to the address that was checked."""

    def __init__(self, host: str, port: int, address: str) -> None:
        super().__init__(host, port, timeout=TIMEOUT_S)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), TIMEOUT_S)


class _PinnedHTTPS(HTTPSConnection):
    """The same; the certificate must be the name's."""

    def __init__(self, host: str, port: int, address: str) -> None:
        self._tls = ssl.create_default_context()
        super().__init__(host, port, timeout=TIMEOUT_S, context=self._tls)
        self._address = address

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), TIMEOUT_S)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)


def _cut_off(connection: HTTPConnection) -> None:
    try:
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # It closed by itself.


NO_ANSWER = (OSError, HTTPException, ValueError)
