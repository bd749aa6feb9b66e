"""The digest that uv gives a path: the end of the name of the directory in which it keeps a script's environment.

It is SeaHash over the components of the path, as Rust hashes a `Path`, written in hexadecimal, the lowest byte first. Made out from
what uv 0.13 writes and tried against it.

Source: the reference implementation of SeaHash (docs.rs/seahash); `Hash for Path` of Rust's standard library; `cache_digest` of uv.
"""

from __future__ import annotations

from typing import Final

_MASK: Final = (1 << 64) - 1
_PRIME: Final[int] = 0x6EED0E9DA4D94A4F
_SEEDS: Final[tuple[int, ...]] = (0x16F11FE89B0D677C, 0xB480A793D8E6C86C, 0x6FE2E5AAF078EBC9, 0x14F994A4C5259381)


def digest(path: str) -> str:
    """Return the sixteen digits for an absolute path of a system with `/`."""
    data, bits = b"", 0
    for part in path.encode("utf-8", "surrogateescape").split(b"/"):
        if part and part != b".":
            data += part
            bits = (bits + len(part)) & _MASK
            bits = (bits >> 2 | bits << 62) & _MASK
    return _seahash(data + bits.to_bytes(8, "little")).to_bytes(8, "little").hex()


def _seahash(data: bytes) -> int:
    state: list[int] = list(_SEEDS)
    for number, start in enumerate(range(0, len(data), 8)):
        block = int.from_bytes(data[start : start + 8], "little")
        state[number % 4] = _diffused(state[number % 4] ^ block)
    return _diffused(state[0] ^ state[1] ^ state[2] ^ state[3] ^ len(data))


def _diffused(word: int) -> int:
    word = word * _PRIME & _MASK
    word ^= (word >> 32) >> (word >> 60)
    return word * _PRIME & _MASK
