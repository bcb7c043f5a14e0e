"""A `python.exe` for the laboratory: the smallest program for 64-bit Windows that calls `Py_Main` of a Python's DLL.

The DLL and its extension modules come in a wheel, which leaves out only this program.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_BASE = 0x140000000
_SECTION = 0x1000
"""Where the only section stands in memory, and its alignment there."""
_ON_DISK = 0x200
"""Where the section stands in the file, and the alignment in the file."""
_DESCRIPTOR = 20
"""Bytes of an import descriptor."""
_DIRECTORIES = 16


class _Section:
    """The bytes of the section, which begins with its import descriptors, with the address of each imported function."""

    def __init__(self, imports: dict[str, list[str]]) -> None:
        self.imports = _DESCRIPTOR * (len(imports) + 1)
        self.blob = bytearray(self.imports)
        self.slots: dict[str, int] = {}
        for index, (library, functions) in enumerate(imports.items()):
            self._import(index * _DESCRIPTOR, library, functions)

    def put(self, data: bytes, alignment: int = 8) -> int:
        """Append bytes; return their address relative to the base."""
        self.blob += bytes(-len(self.blob) % alignment) + data
        return _SECTION + len(self.blob) - len(data)

    def _import(self, descriptor: int, library: str, functions: list[str]) -> None:
        hints = [self.put(b"\0\0" + name.encode() + b"\0", 2) for name in functions]
        table = b"".join(struct.pack("<Q", hint) for hint in hints) + bytes(8)
        lookup, addresses = self.put(table), self.put(table)
        name = self.put(library.encode() + b"\0", 1)
        struct.pack_into("<IIIII", self.blob, descriptor, lookup, 0, 0, name, addresses)
        self.slots.update({function: addresses + 8 * at for at, function in enumerate(functions)})

    def code(self, parts: list[bytes | str]) -> int:
        """Append instructions, where a text stands for a call of that function; return their address."""
        start = self.put(b"", 16)
        code = b""
        for part in parts:
            if isinstance(part, str):
                code += b"\xff\x15" + struct.pack("<i", self.slots[part] - (start + len(code) + 6))
            else:
                code += part
        self.blob += code
        return start


def program(dll: str) -> bytes:
    """Return the program: `ExitProcess(Py_Main(argc, argv))`."""
    section = _Section(
        {
            dll: ["Py_Main"],
            "kernel32.dll": ["GetCommandLineW", "ExitProcess"],
            "shell32.dll": ["CommandLineToArgvW"],
        }
    )
    entry = section.code(
        [
            b"\x48\x83\xec\x38",  # sub rsp, 56
            "GetCommandLineW",
            b"\x48\x89\xc1",  # mov rcx, rax
            b"\x48\x8d\x54\x24\x28",  # lea rdx, [rsp+40]
            "CommandLineToArgvW",
            b"\x48\x89\xc2",  # mov rdx, rax
            b"\x8b\x4c\x24\x28",  # mov ecx, [rsp+40]
            "Py_Main",
            b"\x89\xc1",  # mov ecx, eax
            "ExitProcess",
        ]
    )
    size = len(section.blob)
    stored = bytes(section.blob) + bytes(-size % _ON_DISK)
    return _headers(size, len(stored), entry, section.imports) + stored


def _headers(size: int, stored: int, entry: int, imports: int) -> bytes:
    """Return the headers of a program with one section, in the order of the format."""
    dos = b"MZ" + bytes(0x3A) + struct.pack("<I", 0x40)
    optional = struct.pack("<HBBIIIII", 0x20B, 14, 0, stored, 0, 0, entry, _SECTION)
    # Base, alignments, versions (Windows 6.0), size of the image and of the headers, checksum, console program, flags.
    optional += struct.pack(
        "<QIIHHHHHHIIIIHH",
        _BASE,
        _SECTION,
        _ON_DISK,
        6,
        0,
        0,
        0,
        6,
        0,
        0,
        2 * _SECTION,
        _ON_DISK,
        0,
        3,
        0x8100,
    )
    # Stack and heap: reserved and committed.
    optional += struct.pack("<QQQQII", 1 << 20, 1 << 16, 1 << 20, 1 << 12, 0, _DIRECTORIES)
    directories = bytearray(8 * _DIRECTORIES)
    struct.pack_into("<II", directories, 8, _SECTION, imports)
    optional += bytes(directories)
    file = struct.pack("<4sHHIIIHH", b"PE\0\0", 0x8664, 1, 0, 0, 0, len(optional), 0x22)
    # Code, initialized data; executable, readable, writable.
    section = struct.pack("<8sIIIIIIHHI", b".text", size, _SECTION, stored, _ON_DISK, 0, 0, 0, 0, 0xE0000060)
    return (dos + file + optional + section).ljust(_ON_DISK, b"\0")


def write(dll: str, path: Path) -> None:
    """Write the program."""
    path.write_bytes(program(dll))
