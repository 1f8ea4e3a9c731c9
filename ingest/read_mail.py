"""A mail (.eml): its subject as title, who wrote it and when, its text, and its attachments for the caller to read."""

from __future__ import annotations

import email
import email.policy
import email.utils
import mimetypes
import re
from collections.abc import Iterator
from email.message import Message

from core.errors import IngestError
from core.records import Reject
from ingest.html_facts import is_agency
from ingest.html_tree import tidy
from ingest.mail_text import decode_bytes, decode_header, without_surrogates
from ingest.read_html import whole_page
from ingest.reading import Attachment, Block, BlockKind, Reading, ReadOptions

MAX_ATTACHMENTS = 100
_MAX_PARTS = 1000
_HEADERS = ("from", "to", "subject", "date", "message-id", "received", "return-path", "content-type", "mime-version")
_REPLY = re.compile(r"^(?:(?:re|fwd?|fw|回复|答复|转发)\s*[:：]\s*)+", re.IGNORECASE)
_SHORT = 0.5            # of the HTML's text: a plain part below that only says that the mail is HTML
# What the standard library raises for parts of mutated mails; its default policy has more of them, hence compat32.
_PART_ERRORS = (UnicodeError, LookupError, ValueError, TypeError, AttributeError)


def read_mail(data: bytes, source: str, options: ReadOptions) -> Reading:
    """Raises `IngestError` when it is no mail, is encrypted, or has more than `MAX_ATTACHMENTS` attachments."""
    message = _parse(data, source)
    plain: list[str] = []
    pages: list[str] = []
    attachments: list[Attachment] = []
    for part in _leaves(message, source):
        attached = _attachment(part)
        if attached is not None:
            attachments.append(attached)
            if len(attachments) > MAX_ATTACHMENTS:
                raise IngestError(
                    f"邮件的附件超过 {MAX_ATTACHMENTS} 个。请把附件分开上传", place=source, code=Reject.TOO_LARGE
                )
        elif part.get_content_subtype() == "html":
            pages.append(_text(part, source))
        else:
            plain.append(_flowed(part, _text(part, source)))
    blocks = [*_head(message), *_body(plain, pages, source, options)]
    if not blocks and not attachments:
        raise IngestError("邮件是空的，没有主题、正文和附件。请重新导出", place=source, code=Reject.EMPTY)
    return Reading(tuple(blocks), _hints(message), attachments=tuple(attachments))


def _parse(data: bytes, source: str) -> Message:
    try:
        message = email.message_from_bytes(data.lstrip(b"\r\n\xef\xbb\xbf"), policy=email.policy.compat32)
    except RecursionError as error:
        raise IngestError("邮件各部分嵌套太深，读不出来。请重新导出", place=source) from error
    if not any(name in message for name in _HEADERS):
        raise IngestError("没有发件人、主题、时间等邮件头，不是完整的邮件。请重新导出为 .eml", place=source)
    kind = message.get_content_type()
    if kind == "multipart/encrypted" or (
        kind in ("application/pkcs7-mime", "application/x-pkcs7-mime") and "signed" not in str(message["content-type"])
    ):
        raise IngestError("邮件已加密。请在邮件客户端中解密后另存", place=source, code=Reject.ENCRYPTED)
    return message


def _leaves(message: Message, source: str) -> Iterator[Message]:
    """Parts that hold something, in order; a mail inside the mail is one part."""
    stack = [message]
    count = 0
    while stack:
        part = stack.pop()
        count += 1
        if count > _MAX_PARTS:
            raise IngestError(f"邮件超过 {_MAX_PARTS} 个部分。请重新导出", place=source, code=Reject.TOO_LARGE)
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            stack.extend(child for child in reversed(payload) if isinstance(child, Message))
        else:
            yield part


def _attachment(part: Message) -> Attachment | None:
    """The part as an attachment; None when it is text of the mail itself."""
    kind = part.get_content_type()
    name = _file_name(part)
    if kind == "message/rfc822" or isinstance(part.get_payload(), list):
        return _nested(part, name)
    is_text = kind in ("text/plain", "text/html") or part.get_content_maintype() == "multipart"
    if is_text and not name and part.get_content_disposition() != "attachment":
        return None
    if kind in ("application/ms-tnef", "application/vnd.ms-tnef") or name.lower() == "winmail.dat":
        return Attachment(name or "winmail.dat")        # Outlook's own packing, which nothing here opens
    try:
        payload = part.get_payload(decode=True)
    except _PART_ERRORS:
        payload = None
    name = name or f"未命名附件{mimetypes.guess_extension(kind) or '.dat'}"
    return Attachment(name, payload if isinstance(payload, bytes) else None)


def _nested(part: Message, name: str) -> Attachment:
    payload = part.get_payload()
    inner = payload[0] if isinstance(payload, list) and payload else None
    if not isinstance(inner, Message):
        return Attachment(name or "附件邮件.eml")
    subject = re.sub(r'[\\/:*?"<>|\s]+', "_", _header(inner, "subject"))[:80]
    name = name or f"{subject or '附件邮件'}.eml"
    if not name.lower().endswith(".eml"):
        name += ".eml"
    try:
        return Attachment(name, inner.as_bytes(policy=email.policy.compat32))
    except _PART_ERRORS:
        return Attachment(name)


def _file_name(part: Message) -> str:
    for header, raw in part.raw_items():
        if header.lower() in ("content-disposition", "content-type"):
            part.replace_header(header, without_surrogates(str(raw)))
    try:
        name = part.get_filename("")
    except _PART_ERRORS:
        name = ""
    # a name may hold a folder, or encoded words where the standard has none
    return re.split(r"[\\/]", tidy(decode_header(name)))[-1]


def _header(message: Message, name: str) -> str:
    """A header's text on one line; the first one of that name."""
    raw = next((str(value) for key, value in message.raw_items() if key.lower() == name), "")
    return tidy(decode_header(raw))


def _text(part: Message, source: str) -> str:
    try:
        payload = part.get_payload(decode=True)
        charset = part.get_content_charset("")
    except _PART_ERRORS as error:
        raise IngestError(f"邮件正文已损坏（{type(error).__name__}）。请重新导出", place=source) from error
    text = decode_bytes(payload if isinstance(payload, bytes) else b"", charset)
    if text is None:
        raise IngestError(
            f"邮件正文不是 {charset or 'UTF-8'}、UTF-8 或 GB18030 文字。请重新导出", place=source, code=Reject.DAMAGED
        )
    return text.replace("\0", "")


def _flowed(part: Message, text: str) -> str:
    """format=flowed (RFC 3676): a line that ends with a blank goes on in the next."""
    if str(part.get_param("format", "")).lower() != "flowed":
        return text
    kept = "" if str(part.get_param("delsp", "")).lower() == "yes" else " "
    return re.sub(r"(?<!--) \r?\n(?=[^\r\n])", kept, text)


def _head(message: Message) -> list[Block]:
    """The subject as title, sender and date as text, receivers as furniture."""
    subject = _REPLY.sub("", _header(message, "subject"))
    blocks = [Block(subject, BlockKind.TITLE)] if subject else []
    for label, value in (("发件人", _header(message, "from")), ("时间", _when(message))):
        if value:
            blocks.append(Block(f"{label}：{value}"))
    for label, name in (("收件人", "to"), ("抄送", "cc")):
        if value := _header(message, name):
            blocks.append(Block(f"{label}：{value}", BlockKind.HEADER))
    return blocks


def _when(message: Message) -> str:
    """The date as the sender's clock showed it; as it is written where it cannot be understood."""
    written = _header(message, "date")
    day = _day(written)
    if not day:
        return written
    year, month, date, hour, minute = day
    return f"{year}年{month}月{date}日 {hour:02}:{minute:02}"


def _day(written: str) -> tuple[int, int, int, int, int] | None:
    try:
        parsed = email.utils.parsedate_tz(written)
    except _PART_ERRORS:
        return None
    if parsed is None or not (1970 <= parsed[0] < 2200 and 1 <= parsed[1] <= 12 and 1 <= parsed[2] <= 31):
        return None
    return parsed[0], parsed[1], parsed[2], parsed[3] or 0, parsed[4] or 0


def _body(plain: list[str], pages: list[str], source: str, options: ReadOptions) -> list[Block]:
    lines = [line for text in plain for line in map(tidy, text.splitlines()) if line]
    read: list[Block] = []
    for page in pages:
        try:
            read.extend(whole_page(page.encode("utf-8", "replace"), source, options))
        except IngestError as error:
            if error.code is not Reject.EMPTY:
                raise
    shown = sum(len(block.text) for block in read)
    if sum(map(len, lines)) >= _SHORT * shown:
        return [Block(line) for line in lines]
    return read


def _hints(message: Message) -> dict[str, str]:
    hints: dict[str, str] = {}
    if subject := _REPLY.sub("", _header(message, "subject")):
        hints["title"] = subject
    if day := _day(_header(message, "date")):
        hints["published_on"] = f"{day[0]}-{day[1]:02}-{day[2]:02}"
    sender = re.sub(r"<[^<>]*>|\"", "", _header(message, "from")).strip()
    if is_agency(sender):
        hints["issuer"] = sender
    return hints
