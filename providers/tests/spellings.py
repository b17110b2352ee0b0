"""Addresses that must never be reached, in every spelling that some parser takes for them."""

from __future__ import annotations

from typing import Final

_LOOPBACK_HOSTS = """
127.0.0.1 127.0.0.1. 127.1 127.0.1 127.000.000.001 2130706433 017700000001 0x7f000001 0X7F000001
0x7f.0x0.0x0.0x1 0x7f.1 0x7f.0.1 0177.0.0.1 0177.1 0177.0.01 00000177.0.0.01 127.0x0.0.1
127.255.255.254 127.0.0.2 127.42.1 4278190079 0 0.0.0.0 0.0 0x0 00 00000000000 0.0.0.1 0.1
localhost LOCALHOST LocalHost localhost. localhost.localdomain foo.localhost ip6-localhost
ip6-loopback ①②⑦.⓪.⓪.① １２７.０.０.１ 127。0。0。1 127．0．0．1 127｡0｡0｡1 ⓛⓞⓒⓐⓛⓗⓞⓢⓣ
ｌｏｃａｌｈｏｓｔ 𝟙𝟚𝟟.𝟘.𝟘.𝟙 [::1] [::] [0:0:0:0:0:0:0:1] [0000:0000:0000:0000:0000:0000:0000:0001]
[::0001] [0::1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::FFFF:7F00:0001] [0:0:0:0:0:ffff:127.0.0.1]
[::127.0.0.1] [::7f00:1] [64:ff9b::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b:1::7f00:1]
[2002:7f00:1::] [2002:7f00:0001::1] [2001:0:7f00:1::] [::1%25lo] [::1%lo] [fe80::1%25lo]
[fe80::1%25eth0] [::ffff:0:127.0.0.1]
""".split()
_PRIVATE_HOSTS = """
10.0.0.1 10.255.255.255 167772161 0x0a000001 012.0.0.1 10.1 172.16.0.1 172.31.255.255 192.168.0.1
192.168.1 3232235521 0xc0a80001 100.64.0.1 100.127.255.254 169.254.169.254 169.254.0.1 2852039166
0xa9fea9fe 0251.0376.0251.0376 0xa9.0xfe.0xa9.0xfe 169.254.43518 192.0.0.1 192.0.0.8 192.0.0.192
192.0.2.1 192.88.99.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250
240.0.0.1 255.255.255.255 [fc00::1] [fd00::1] [fd00:ec2::254] [fdff:ffff::1] [fe80::1] [febf::1]
[fec0::1] [feff::1] [ff02::1] [ff0e::1] [2001::1] [2001:db8::1] [2001:10::1] [2001:20::1]
[2001:2::1] [3fff::1] [2002:a00:1::] [2002:a9fe:a9fe::] [::ffff:10.0.0.1] [::ffff:169.254.169.254]
[::ffff:a9fe:a9fe] [::a9fe:a9fe] [64:ff9b::a9fe:a9fe] [100::1] [5f00::1] [4000::1] [1::1]
""".split()
_TRICKS = (
    "http://127.0.0.1:{port}@127.0.0.1:{port}/",
    "http://user@127.0.0.1:{port}/",
    "http://user:pass@127.0.0.1:{port}/",
    "http://example.com@127.0.0.1:{port}/",
    "http://example.com:80@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@example.com/",
    "http://example.com\\@127.0.0.1:{port}/",
    "http:\\\\127.0.0.1:{port}\\",
    "http:/\\127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@example.com/",
    "http://127.0.0.1:{port}?@example.com/",
    "http://127.0.0.1:{port};@example.com/",
    "http://127.0.0.1\t:{port}/",
    "http://127.0.0\n.1:{port}/",
    "http://127.0.0.1 :{port}/",
    "http://127.0.0.1%00:{port}/",
    "http://127.0.0.1%2523:{port}/",
    "http://%31%32%37.0.0.1:{port}/",
    "http://127%2e0%2e0%2e1:{port}/",
    "http://[::1]:{port}%40example.com/",
    "http://0:{port}/",
    "http:127.0.0.1:{port}/",
    "http:///127.0.0.1:{port}/",
    "http:////127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "HTTP://127.0.0.1:{port}/",
    "hTtP://LOCALHOST:{port}/",
    " http://127.0.0.1:{port}/",
    "http://127.0.0.1:{port}/\r\nHost: x",
    "https://127.0.0.1:{port}/",
    "ftp://127.0.0.1:{port}/",
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "gopher://127.0.0.1:{port}/_GET",
    "dict://127.0.0.1:{port}/",
    "ldap://127.0.0.1:{port}/",
    "data:text/plain,hello",
    "javascript:alert(1)",
    "jar:http://127.0.0.1:{port}!/",
    "view-source:http://127.0.0.1:{port}/",
    "unix:///run/valkey.sock",
    "http+unix://%2Frun%2Fvalkey.sock/",
    "blob:http://127.0.0.1:{port}/",
    "about:blank",
    "",
    "http://",
    "http://:{port}/",
    "http://127.0.0.1:99999/",
    "http://127.0.0.1:-1/",
    "http://127.0.0.1:0/",
    "http://127.0.0.1:{port}/" + "a" * 3000,
)
SPELLINGS: Final[tuple[str, ...]] = (
    *(f"http://{host}:{{port}}/" for host in _LOOPBACK_HOSTS),
    *(f"http://{host}:{{port}}/" for host in _PRIVATE_HOSTS),
    *_TRICKS,
)
