"""Compression of what is stored: zstd level 1 where it pays, the bytes as they are where it does not."""

import threading

import zstandard

IDENTITY = "identity"
ZSTD = "zstd"
_SMALLEST = 256  # octets; below, a frame's overhead eats the gain
_local = threading.local()


def pack(data: bytes) -> tuple[str, bytes]:
    """Return (codec, stored bytes)."""
    if len(data) < _SMALLEST:
        return IDENTITY, data
    compressor = getattr(_local, "compressor", None)
    if compressor is None:
        compressor = _local.compressor = zstandard.ZstdCompressor(level=1)
    packed: bytes = compressor.compress(data)
    return (ZSTD, packed) if len(packed) < len(data) * 0.95 else (IDENTITY, data)


def unpack(codec: str, stored: bytes) -> bytes:
    """Return what `pack` was given."""
    if codec == IDENTITY:
        return stored
    decompressor = getattr(_local, "decompressor", None)
    if decompressor is None:
        decompressor = _local.decompressor = zstandard.ZstdDecompressor()
    data: bytes = decompressor.decompress(stored)
    return data


def pack_content(raw: bytes) -> bytes:
    """`pack` for a column that has no codec beside it: a mark, then the stored bytes."""
    codec, stored = pack(raw)
    return (b"z" if codec == ZSTD else b"i") + stored


def unpack_content(stored: bytes) -> bytes:
    """Give back what `pack_content` was given."""
    return unpack(ZSTD if stored[:1] == b"z" else IDENTITY, stored[1:])
