"""Facts from what people wrote down beside a text: front matter, JSON fields, header lines, file names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

import yaml

from core.errors import IngestError
from core.records import RANK_NAMES, Facts, Rank
from core.regions import region_code
from ingest.doc_numbers import normal_doc_no

Regions = Mapping[str, str]

HEADER_END = "<!-- INFO END -->"     # after the title and the history that a law file begins with
NAME_DATE = re.compile(r"[(（](\d{4}-\d{2}-\d{2})[)）]$")     # of a version of a law, in its file's name
_DATE = re.compile(r"((?:18|19|20)\d{2})\s*[-年./]\s*(\d{1,2})\s*[-月./]\s*(\d{1,2})")
_FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n---\s*\n", re.S)
_KEYS = {
    "标题": "title", "发文字号": "doc_no", "发文机关": "issuer", "文种": "kind", "效力级别": "rank",
    "适用区域": "region", "成文日期": "dated", "发布日期": "published_on", "施行日期": "effective_from",
    "实施日期": "effective_from", "失效日期": "effective_to", "有效性": "validity", "替代": "replaces",
    "被替代": "replaced_by", "公开属性": "public", "咨询电话": "phone", "来源": "url",
}


def front_matter(text: str, place: str) -> tuple[dict[str, str], int]:
    """What the editor wrote, by field name of `Facts`, without keys that are left empty; ({}, 0) without a block."""
    match = _FRONT_MATTER.match(text)
    if not match:
        return {}, 0
    try:
        block = yaml.load(match.group(1), Loader=yaml.BaseLoader)   # strings only: 010000 is a region, not 4096
    except (yaml.YAMLError, RecursionError) as error:
        raise IngestError(f"文件头的 YAML 无法解析：{error}", place=place) from error
    if not isinstance(block, dict) or not block.get("标题"):
        raise IngestError("文件头应为“键: 值”并含有 标题", place=place)
    unknown = [str(key) for key in block if key not in _KEYS]
    if unknown:
        raise IngestError(f"文件头有未知的键 {'、'.join(unknown)}；可用的键：{'、'.join(_KEYS)}", place=place)
    nested = [key for key, value in block.items() if not isinstance(value, str)]
    if nested:
        raise IngestError(f"文件头的 {'、'.join(nested)} 应为一行文字", place=place)
    return {_KEYS[key]: value.strip() for key, value in block.items() if value.strip()}, match.end()


def facts_from(named: Mapping[str, str], place: str, regions: Regions) -> Facts:
    """Facts from strings by field name. Raises `IngestError` naming the value that is wrong."""
    rank = named.get("rank", "")
    if rank and rank not in RANK_NAMES:
        raise IngestError(f"效力级别“{rank}”未知；可用：{'、'.join(RANK_NAMES)}", place=place)
    return Facts(
        title=named["title"],
        doc_no=normal_doc_no(named["doc_no"]) if named.get("doc_no") else None,
        issuer=named.get("issuer") or None,
        kind=named.get("kind") or None,
        rank=RANK_NAMES.get(rank, Rank.OTHER),
        region=_region(named.get("region", ""), place, regions),
        dated=_day(named, "dated", place),
        published_on=_day(named, "published_on", place),
        effective_from=_day(named, "effective_from", place),
        effective_to=_day(named, "effective_to", place),
        validity=named.get("validity") or None,
        replaces=named.get("replaces") or None,
        replaced_by=named.get("replaced_by") or None,
        public=_public(named.get("public", "公开"), place),
        phone=named.get("phone") or None,
        url=named.get("url") or None,
    )


def parse_date(text: str) -> date | None:
    """The first date in ``text``: 2024-05-01, 2024年5月1日, 2024.5.1 or 2024/5/1; None when there is none."""
    match = _DATE.search(text)
    if not match:
        return None
    year, month, day = map(int, match.groups())
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _day(named: Mapping[str, str], field: str, place: str) -> date | None:
    value = named.get(field)
    if not value:
        return None
    day = parse_date(value)
    if day is None:
        raise IngestError(f"“{value}”不是日期，应如 2024-05-01", place=place)
    return day


def _region(value: str, place: str, regions: Regions) -> str | None:
    if not value or value in ("全国", "国家"):
        return None
    code = region_code(value, regions)
    if code is None:
        reason = f"不认识区域“{value}”：请写 6 位区划代码，或在 config.yaml 的 regions.names 中加上它"
        raise IngestError(reason, place=place)
    return code


def _public(value: str, place: str) -> bool:
    if value not in ("公开", "主动公开", "依申请公开", "内部"):
        raise IngestError(f"公开属性“{value}”未知；可用：公开、主动公开、依申请公开、内部", place=place)
    return value in ("公开", "主动公开")


def first_line(text: str) -> str:
    """The first line as a title, one space for each gap; "" when it is a sentence."""
    line = next((line for line in text.splitlines() if line.strip()), "")
    title = re.sub(r"[\s　]+", " ", line.lstrip("#").strip())
    return title if 2 <= len(title) <= 80 and not title.endswith("。") else ""
