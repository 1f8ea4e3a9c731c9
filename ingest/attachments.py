"""附件: the names that a document lists, on lines or in a row, with or without numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ingest.opening import Read
from ingest.view import squeezed

_ATTACHED = re.compile(
    r"(?:附件：\s*(?=附件：))?附[ \t\u3000]*件[ \t\u3000]*[:：]|(?<=\n)附件、(?=\S)|(?<=[\s。；])附[ \t\u3000]*[:：]"
)
_ATTACHED_LINE = re.compile(
    r"^[ \t\u3000•]*附件[ \t\u3000]*([0-9一二三四五六七八九十]{1,3}(?:[-—][0-9]{1,2})?)?(?:下载)?"
    r"[ \t\u3000]*[:：、.．]?[ \t\u3000]*(?=\S)", re.M
)
_FILE_LINE = re.compile(
    r"^[ \t\u3000•]*(\S[^\n]{1,120}?)\.(?:docx?|xlsx?|pdf|wps|et|zip|rar|pptx?|ofd|7z)[ \t]*$", re.M | re.I
)
# the attachments themselves begin, in a text without line breaks
_AGAIN = re.compile(r"附[ \t\u3000]*件[ \t\u3000]*(?:1|一)?(?![0-9）)])")
_SUFFIX = re.compile(r"\.(?:docx?|xlsx?|pdf|wps|et|zip|rar|pptx?|ofd|7z|jpg|png)", re.I)
_LEAD = re.compile(
    r"[：:]|[A-Za-z0-9@._-]{6,}(?=[\u4e00-\u9fff“《])|[（(]联系[^（）()]{2,40}[）)]"
    r"|[（(]此件[^（）()]{2,8}[）)]|解读|(?<!\d)\d{1,2}[.．、]"
)
_ITEM_MARK = r"(?:附件[ \t\u3000]*)?{n}(?:[ \t]*[.．、:：][ \t\u3000]*|[ \t\u3000]+|(?=[\u4e00-\u9fff《“]))"
_LIST_END = re.compile(
    r"\n[ \t\u3000]*\n|[（(]此件|更多信息|公开方式|联系人[:：]"
    r"|[ \t\n]附[ \t]*件[ \t]*1?[ \t\n]*(?![ \t\u3000]*[:：0-9])|抄送[:：]|扫一扫"
    r"|政策解读[:：]|文字解读|相关链接|申报通知及附件下载|相关文件|分享到"
)

_ENTRY_LINES = 2             # an entry with a line end in it; three lines have begun something else


def attachments(
    raw: str, signature: tuple[int, int] | None, title: str = "", issuers: Sequence[str] = ()
) -> list[Read]:
    """附件 by name as listed: after 附件：, else the numbered lines around the signature, else the files of a page.

    ``signature`` is where the bodies that sign begin and where their date ends, in ``raw``. A name that runs into
    the document's own ``title`` or ends in its ``issuers`` is cut off there.
    """
    return [_cut(raw, item, title, issuers) for item in _listed(raw, signature)]


def _cut(raw: str, item: Read, title: str, issuers: Sequence[str]) -> Read:
    if item.start is None or item.end is None:
        return item
    said = raw[item.start : item.end]
    end = len(said)
    if issuers and (signed := re.search(rf"(?:{'|'.join(map(re.escape, issuers))})\s*(?:（略）)?$", said)):
        end = signed.start()
    at = said.find(title, 3) if title else -1
    if at > 0 and said[at - 1] not in "《、":
        end = min(end, at)
    return item if end in (0, len(said)) else _item(raw, item.start, item.start + end) or item


def _listed(raw: str, signature: tuple[int, int] | None) -> list[Read]:
    for match in _ATTACHED.finditer(raw):
        line = raw[raw.rfind("\n", 0, match.start()) + 1 : match.start()]
        if line.rstrip().endswith(("见", "详见", "（", "(", "《")):
            continue
        end = _list_end(raw, match.end(), signature)
        items = _items(raw, match.end(), end)
        if items:
            return items
        if signature and match.end() <= signature[0]:
            break
    return (
        _labelled_lines(raw) or _labelled_files(raw) or _numbered_lines(raw, signature)
        or _file_lines(raw) or _last_files(raw, signature)
    )


def _list_end(raw: str, start: int, signature: tuple[int, int] | None) -> int:
    end = min(len(raw), start + 4000)
    if signature and start <= signature[0] < end:
        end = signature[0]
    # a blank line may follow 附件： at once
    match = _LIST_END.search(raw, start + len(raw[start:end]) - len(raw[start:end].lstrip()), end)
    return match.start() if match else end


def _items(raw: str, start: int, end: int) -> list[Read]:
    """The entries 1., 2., … of a list, printed on lines or without a break."""
    marks = _marks(raw, start, end)
    if not marks:
        last = min(end, _line_end(raw, start, end))
        if again := _AGAIN.search(raw, start + 2, last):
            last = again.start()
        item = _item(raw, start, _before_repeat(raw, start, last))
        return [item] if item else []
    found: list[Read] = []
    for (_, first), following in zip(marks, [*marks[1:], (0, 0)], strict=True):
        last = following[0] or min(end, _line_end(raw, first, end))
        if not following[0] and (again := _AGAIN.search(raw, first + 2, last)):
            last = again.start()
        if item := _item(raw, first, last):
            found.append(item)
    return found


def _marks(raw: str, start: int, end: int) -> list[tuple[int, int]]:
    """Spans of the numbers 1, 2, 3, … of a list, as far as they go on."""
    narrow = raw[start:end].translate({ord("０") + n: ord("0") + n for n in range(10)})
    marks: list[tuple[int, int]] = []
    position = 0
    while match := re.compile(_ITEM_MARK.format(n=len(marks) + 1)).search(narrow, position):
        at, position = match.span()
        if not marks and narrow[:at].strip():
            break
        if marks:
            line = narrow.rfind("\n", 0, at) + 1
            inside = line > marks[-1][1] and narrow[line:at].strip()     # of a later paragraph
            if narrow[at - 1].isdigit() or inside:
                position = at + 1
                continue
            if len(re.findall(r"\n\s*\S", narrow[marks[-1][1] : at].rstrip())) >= _ENTRY_LINES:
                break                # what follows the list has numbers, too
            if _AGAIN.search(narrow, marks[-1][1], at):
                break                # the first attachment has begun, and has numbers of its own
        marks.append((at, position))
    return [(start + a, start + b) for a, b in marks]


def _before_repeat(raw: str, start: int, end: int) -> int:
    """Where a single name ends that the attachment itself follows at once: it begins with its name, or article 1."""
    line = raw[start:end]
    if chapter := re.search(r"第[一1][章条]", line):
        line = line[: chapter.start()]
    for length in range(6, len(line) // 2 + 1):
        if line.startswith(line[:length], length):
            return start + length
    return start + len(line)


def _line_end(raw: str, start: int, end: int) -> int:
    while start < end and raw[start] in " \t\u3000\n":
        start += 1
    line = raw.find("\n", start, end)
    return line if line >= 0 else end


def _item(raw: str, start: int, end: int) -> Read | None:
    if suffix := _SUFFIX.search(raw, start, end):
        end = suffix.start()
    elif gap := re.compile(
        r"[ \t\u3000](?=附件|[\u4e00-\u9fff]{2,20}(?:厅|局|委员会|政府|办公室)[ \t\u3000])"
    ).search(raw, start + 2, end):
        end = gap.start()
    while start < end and raw[start] in " \t\u3000\n•":
        start += 1
    while end > start and raw[end - 1] in " \t\u3000\n；;、，,。":
        end -= 1
    value = squeezed(raw[start:end])
    if not 2 <= len(value) <= 160 or not re.search(r"[\u4e00-\u9fff]{2}", value):
        return None
    return Read(value, start, end, 0.9)


def _labelled_lines(raw: str) -> list[Read]:
    """附件1：某表.doc, a line each."""
    found: list[Read] = []
    seen: set[str] = set()
    for match in _ATTACHED_LINE.finditer(raw):
        end = _line_end(raw, match.end(), len(raw))
        line = raw[match.end() : end]
        if not (_SUFFIX.search(line) or (match.group(1) and raw[match.end() - 1] in ":：、")):
            continue
        item = _item(raw, match.end(), end)
        if item and item.value not in seen:
            seen.add(item.value)
            found.append(item)
    return found


def _labelled_files(raw: str) -> list[Read]:
    """附件1：某表.doc 附件2：某表.doc, in a text without line breaks."""
    found: list[Read] = []
    position = 0
    while match := re.compile(rf"附件\s*{len(found) + 1}\s*[:：]").search(raw, position):
        suffix = _SUFFIX.search(raw, match.end(), match.end() + 120)
        item = _item(raw, match.end(), suffix.start()) if suffix else None
        if item is None or suffix is None or "。" in item.value:
            break
        found.append(item)
        position = suffix.end()
    return found


def _numbered_lines(raw: str, signature: tuple[int, int] | None) -> list[Read]:
    """Numbered names right above the signature, or files right below it."""
    if signature is None:
        return []
    above = raw[max(0, signature[0] - 1500) : signature[0]].rstrip()
    start = signature[0] - len(raw[max(0, signature[0] - 1500) : signature[0]])
    lines: list[tuple[int, int]] = []
    position = len(above)
    while position > 0:
        line_start = above.rfind("\n", 0, position) + 1
        line = above[line_start:position]
        numbered = re.match(r"[ \t\u3000]*[0-9０-９]{1,2}[.．、]", line)
        if not numbered or line.rstrip().endswith(("。", "；", "：")) or len(line) > 90:
            break
        lines.append((start + line_start, start + position))
        position = line_start - 1
    found = _items(raw, lines[-1][0], lines[0][1]) if lines else []
    if found and len(found) == len(lines):
        return found
    below = re.compile(r"(?:[（(][^（）()]{2,12}[）)])?\s*(?=1[.．、])").match(raw, signature[1])
    if below and _SUFFIX.search(raw, below.end(), below.end() + 120):
        return _items(raw, below.end(), min(len(raw), below.end() + 2000))
    return []


def _last_files(raw: str, signature: tuple[int, int] | None) -> list[Read]:
    """Names of files behind the last sentence of a text without line breaks: 申请表.docx更多信息…"""
    start = max(raw.rfind("。", 0, len(raw) - 1) + 1, signature[1] if signature else 0, len(raw) - 900)
    found: list[Read] = []
    for suffix in _SUFFIX.finditer(raw, start):
        for lead in _LEAD.finditer(raw, start, suffix.start()):
            start = lead.end()       # whom to ask, and the number of the file
        item = _item(raw, start, suffix.start())
        if item is None or len(item.value) > 80 or "原文" in raw[suffix.start() - 120 : suffix.start()]:
            return []
        found.append(item)
        start = suffix.end()
    return found


def _file_lines(raw: str) -> list[Read]:
    found: list[Read] = []
    seen: set[str] = set()
    for match in _FILE_LINE.finditer(raw):
        name = re.sub(r"^附件[0-9一二三四五六七八九十]*[-—0-9]*(?:下载)?[:：.、]?[ \t]*", "", match.group(1))
        item = _item(raw, match.end(1) - len(name), match.end(1)) if name else None
        if item and item.value not in seen:
            seen.add(item.value)
            found.append(item)
    return found
