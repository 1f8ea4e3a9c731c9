"""区划代码: six digits, two each for province, city and district; ``None`` stands for the whole country."""

from __future__ import annotations

from collections.abc import Mapping

from core.errors import ConfigError

_SUFFIXES = ("特别行政区", "维吾尔自治区", "壮族自治区", "回族自治区", "自治区", "省", "市", "区", "县")


def region_chain(code: str) -> tuple[str | None, ...]:
    """Whose rules hold at ``code``: the country's, the province's, the city's and its own.

    >>> region_chain("900102")
    (None, '900000', '900100', '900102')
    """
    if not _is_code(code):
        raise ConfigError(f"区划代码应为 6 位数字，实际是 {code!r}，例如 900100")
    chain: list[str | None] = [None]
    for part in (code[:2] + "0000", code[:4] + "00", code):
        if part not in chain:
            chain.append(part)
    return tuple(chain)


def region_code(name: str, names: Mapping[str, str]) -> str | None:
    """The code of a region given as a code, a full name or a short one (上海 for 上海市)."""
    if name in names:
        return name
    for code, full in names.items():
        if name in (full, _short(full)):
            return code
    return name if _is_code(name) else None


def _is_code(text: str) -> bool:
    return len(text) == 6 and text.isascii() and text.isdigit()


def _short(name: str) -> str:
    for suffix in _SUFFIXES:
        if name.endswith(suffix) and len(name) > len(suffix) + 1:
            return name.removesuffix(suffix)
    return name
