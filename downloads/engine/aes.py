"""AES-128-CBC decryption of whole segments, piece by piece (RFC 8216, 5.2)."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from downloads.engine.errors import ConnectionFailed

_BLOCK_BYTES = 16


class AesDecryptor:
    """Decrypts one segment; the padding at its end is removed and checked."""

    def __init__(self, key: bytes, iv: bytes) -> None:
        self._cipher = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
        self._last_block = b""

    def update(self, content: bytes | memoryview) -> bytes:
        """The plain bytes that are certain not to be padding."""
        plain = self._last_block + self._cipher.update(content)
        self._last_block = plain[-_BLOCK_BYTES:]
        return plain[:-_BLOCK_BYTES]

    def finish(self) -> bytes:
        """What is left without the padding. Raises ConnectionFailed when the segment is cut."""
        try:
            plain = self._last_block + self._cipher.finalize()
        except ValueError:
            raise ConnectionFailed("An encrypted segment is cut.") from None
        count = plain[-1] if plain else 0
        if not 1 <= count <= _BLOCK_BYTES or plain[-count:] != bytes([count]) * count:
            raise ConnectionFailed("An encrypted segment is cut or its key is wrong.")
        return plain[:-count]
