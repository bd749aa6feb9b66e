"""What the bytes of an executable say without running it: that it is one, for which processor, and sometimes its exact version."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ..system.look import Look

HEADER: Final = 1024  # bytes; enough for the headers of all three formats
_LARGEST = 512 * 1024 * 1024  # bytes; a larger file is not searched for its version

_ELF = {
    3: "i686",
    8: "mips",
    20: "ppc",
    21: "ppc64",
    22: "s390x",
    40: "armv7l",
    62: "x86_64",
    183: "aarch64",
    243: "riscv64",
    258: "loongarch64",
}
_MACH = {7: "i686", 12: "armv7l", 0x01000007: "x86_64", 0x0100000C: "aarch64", 18: "ppc", 0x01000012: "ppc64"}
_PE = {0x014C: "i686", 0x8664: "x86_64", 0xAA64: "aarch64", 0x01C4: "armv7l"}
_FAT = (b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf")  # Mach-O for several processors


def is_binary(header: bytes) -> bool:
    """Say whether a file that begins so is an executable of machine code, and not a script or something else."""
    return header[:4] == b"\x7fELF" or _mach_order(header) is not None or header[:4] in _FAT or _pe_machine(header) is not None


def is_script(header: bytes) -> bool:
    """Say whether a file that begins so is a script that names its own interpreter."""
    return header[:2] == b"#!"


def architecture(header: bytes) -> str | None:
    """Return the instruction set, as `platform.machine()` says it on Linux; None when it is unknown, or there are several."""
    if header[:4] == b"\x7fELF" and len(header) >= 20:
        order = "<" if header[5] == 1 else ">"
        machine: int = struct.unpack_from(order + "H", header, 18)[0]
        name = _ELF.get(machine)
        return f"{name}le" if name == "ppc64" and order == "<" else name
    if mach := _mach_order(header):
        return _MACH.get(struct.unpack_from(mach + "I", header, 4)[0]) if len(header) >= 8 else None
    return _PE.get(_pe_machine(header) or 0)


def _mach_order(header: bytes) -> str | None:
    if header[:4] in {b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe"}:
        return "<"
    return ">" if header[:4] in {b"\xfe\xed\xfa\xcf", b"\xfe\xed\xfa\xce"} else None


def _pe_machine(header: bytes) -> int | None:
    if header[:2] != b"MZ" or len(header) < 64:
        return None
    start = struct.unpack_from("<I", header, 0x3C)[0]
    if header[start : start + 4] != b"PE\0\0" or len(header) < start + 6:
        return None
    machine: int = struct.unpack_from("<H", header, start + 4)[0]
    return machine


def version_inside(look: Look, path: str, minor: str) -> str | None:
    """Return the version that an interpreter or its library was compiled with, such as "3.11.2", by searching its bytes.

    The version stands there as a text of its own, for `sys.version`. `minor`, known from elsewhere, keeps the versions of what
    else is linked in apart (expat, zlib); None where nothing fits. Needed where an installation has no headers.
    """
    status = look.status(path)
    if status is None or not 0 < status.st_size < _LARGEST or not look.is_file(path):
        return None
    import mmap  # noqa: PLC0415 - few installations have no headers

    try:
        with open(look.real(path), "rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as memory:
            prefix = b"\0" + os.fsencode(minor) + b"."
            at = memory.find(prefix)
            while at >= 0:
                end = memory.find(b"\0", at + 1, at + 24)
                text = memory[at + 1 : end].rstrip(b"+") if end > 0 else b""
                if _is_release(text[len(prefix) - 1 :]):
                    return text.decode("ascii")
                at = memory.find(prefix, at + 1)
    except (OSError, ValueError):
        return None
    return None


def _is_release(text: bytes) -> bool:
    """Say whether this is the third number of a version, with or without a pre-release: "2", "0rc1"."""
    for mark in (b"rc", b"a", b"b"):
        number, found, serial = text.partition(mark)
        if found:
            return number.isdigit() and serial.isdigit()
    return text.isdigit()
