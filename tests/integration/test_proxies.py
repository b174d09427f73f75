"""A key with whitelistedIPs behind a proxy: what the proxy says counts, what its caller made up does not."""

from ipaddress import ip_network

from tests.integration.http_service import http_service

_PROXY = ip_network("127.0.0.0/8")


async def _status(service, *fields: bytes) -> int:
    async with service.connected() as (reader, writer):
        key = b"X-API-Key: " + service.made.auth_key.encode()
        head = (b"GET /v2/edges HTTP/1.1", b"Host: x", b"Connection: close", key, *fields, b"", b"")
        writer.write(b"\r\n".join(head))
        return int((await reader.read()).split()[1])


async def test_the_address_that_a_proxy_vouches_for(database_url, tmp_path):
    async with http_service(database_url, tmp_path, trusted_proxies=(_PROXY,)) as service:
        allowed = ["198.51.100.7", "2001:db8::/32"]
        await service.pool.execute("UPDATE api_keys SET whitelisted_ips = $1", allowed)
        service.authenticator.forget()
        for fields in (
            (b"X-Forwarded-For: 198.51.100.7",),
            (b"X-Forwarded-For: 6.6.6.6, 198.51.100.7, 127.0.0.9",),
            (b"X-Forwarded-For: 6.6.6.6", b"X-Forwarded-For: [::ffff:198.51.100.7]:80"),
            (b"X-Forwarded-For: 2001:DB8::1",),
            (b'Forwarded: for=6.6.6.6, for="[2001:db8::1]:4711";proto=https',),
            (b"Forwarded: for=198.51.100.7", b"X-Forwarded-For: 198.51.100.7"),
        ):
            assert await _status(service, *fields) == 200, fields
        for fields in (
            (),
            (b"X-Forwarded-For: 198.51.100.7, 6.6.6.6",),
            (b"X-Forwarded-For: 198.51.100.7", b"X-Forwarded-For: 6.6.6.6"),
            (b"Forwarded: for=198.51.100.7", b"X-Forwarded-For: 6.6.6.6"),
            (b"X-Forwarded-For: 198.51.100.7", b"Forwarded: for=6.6.6.6"),
            (b'Forwarded: for=6.6.6.6;host="a, for=198.51.100.7"',),
            (b"X-Forwarded-For: 198.51.100.7, unknown",),
            (b"X_Forwarded_For: 198.51.100.7",),
            (b"X-Real-IP: 198.51.100.7", b"Client-IP: 198.51.100.7", b"X-Forwarded-Host: 198.51.100.7"),
            (b"X-Forwarded-For: \xff198.51.100.7",),
        ):
            assert await _status(service, *fields) == 403, fields
        for fields in ((b"X-Forwarded-For : 198.51.100.7",), (b"X: y\r\n X-Forwarded-For: 198.51.100.7",)):
            assert await _status(service, *fields) == 400, fields


async def test_without_a_trusted_proxy_the_peer_is_the_caller(database_url, tmp_path):
    async with http_service(database_url, tmp_path) as service:
        await service.pool.execute("UPDATE api_keys SET whitelisted_ips = '{198.51.100.7}'")
        service.authenticator.forget()
        assert await _status(service, b"X-Forwarded-For: 198.51.100.7") == 403
        await service.pool.execute("UPDATE api_keys SET whitelisted_ips = '{127.0.0.0/8}'")
        service.authenticator.forget()
        assert await _status(service, b"X-Forwarded-For: 198.51.100.7") == 200
