"""The top level of an OLE compound file (DOC, XLS, PPT, WPS, encrypted OOXML, MSG): names of its streams and where
they begin. Streams of embedded objects lie in storages below and are not listed, so that a workbook which is
pasted into a letter does not make a spreadsheet of it. Format: [MS-CFB], sections 2.2 to 2.6.
"""

from __future__ import annotations

import struct

MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
_END = 0xFFFFFFFA            # this and above are marks, not sectors
_NO_ENTRY = 0xFFFFFFFF
_HEADER_FAT_SECTORS = 109


def top_level(data: bytes) -> dict[str, int] | None:
    """Name -> byte offset of its first sector; None when the directory cannot be followed.

    The offset of a stream under 4,096 bytes means nothing, since those share the root's own stream.
    """
    try:
        shift = struct.unpack_from("<H", data, 30)[0]
        if shift not in (9, 12):
            return None
        return _children(_directory(data, shift), shift)
    except (struct.error, IndexError):
        return None


def _directory(data: bytes, shift: int) -> bytes:
    size = 1 << shift
    fat = _fat_sectors(data, shift)
    sector = struct.unpack_from("<I", data, 48)[0]
    parts: list[bytes] = []
    while sector < _END and len(parts) <= len(data) >> shift:       # a ring ends when there are more than the file has
        parts.append(data[(sector + 1) << shift : (sector + 2) << shift])
        table, place = divmod(sector, size // 4)
        sector = struct.unpack_from("<I", data, ((fat[table] + 1) << shift) + 4 * place)[0]
    return b"".join(parts)


def _fat_sectors(data: bytes, shift: int) -> list[int]:
    """The header names 109 of them, enough for 7 MB; the rest hangs on a chain of its own."""
    per_sector = (1 << shift) // 4 - 1
    sectors = list(struct.unpack_from(f"<{_HEADER_FAT_SECTORS}I", data, 76))
    following, count = struct.unpack_from("<II", data, 68)
    for _ in range(min(count, len(data) >> shift)):
        if following >= _END:
            break
        *more, following = struct.unpack_from(f"<{per_sector + 1}I", data, (following + 1) << shift)
        sectors += more
    return sectors


def _children(directory: bytes, shift: int) -> dict[str, int]:
    """Entries below the root: a binary tree whose links are entry numbers."""
    found: dict[str, int] = {}
    seen: set[int] = set()
    waiting = [struct.unpack_from("<I", directory, 76)[0]]
    while waiting:
        number = waiting.pop()
        if number == _NO_ENTRY or number in seen:
            continue
        seen.add(number)
        entry = directory[number * 128 : number * 128 + 128]
        name_bytes, _, left, right, _ = struct.unpack_from("<HHIII", entry, 64)
        name = entry[: max(0, min(name_bytes, 64) - 2)].decode("utf-16-le", "replace")
        found[name] = (struct.unpack_from("<I", entry, 116)[0] + 1) << shift
        waiting += (left, right)
    return found
