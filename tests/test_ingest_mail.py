"""Mails: headers in any charset, text or HTML, attachments by their names."""

from __future__ import annotations

import random
from base64 import b64encode
from contextlib import suppress
from email.message import EmailMessage

import pytest

from core.errors import IngestError
from core.records import Reject
from ingest.mail_text import decode_bytes, decode_header
from ingest.read_mail import MAX_ATTACHMENTS, read_mail
from ingest.reading import BlockKind, Reading, ReadOptions

SUBJECT = "关于做好冬季供热诉求办理工作的函"
TEXT = "各承办单位：\n\n　　请于11月12日前报送名单，联系电话0900-1234548。\n云州市城市管理局\n"


def mail(text: str = TEXT, subject: str = SUBJECT) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "云州市城市管理局 <cgj@yunzhou.example>"
    message["To"] = "各承办单位 <cb@yunzhou.example>"
    message["Date"] = "Mon, 09 Nov 2026 09:30:00 +0800"
    if subject:
        message["Subject"] = subject
    if text:
        message.set_content(text)
    return message


def read(data: bytes) -> Reading:
    return read_mail(data, "a.eml", ReadOptions())


def running(reading: Reading) -> list[str]:
    return [block.text for block in reading.blocks if not block.kind.is_furniture]


def refusal(data: bytes) -> IngestError:
    with pytest.raises(IngestError) as caught:
        read(data)
    assert caught.value.place == "a.eml"
    return caught.value


def raw(headers: str, body: bytes = b"text\n") -> bytes:
    return headers.encode() + b"\n\n" + body


def test_a_mail_is_its_subject_its_sender_and_its_text() -> None:
    reading = read(mail().as_bytes())
    assert running(reading) == [
        SUBJECT, "发件人：云州市城市管理局 <cgj@yunzhou.example>", "时间：2026年11月9日 09:30", "各承办单位：",
        "请于11月12日前报送名单，联系电话0900-1234548。", "云州市城市管理局",
    ]
    assert reading.blocks[0].kind is BlockKind.TITLE
    assert [b.text for b in reading.blocks if b.kind is BlockKind.HEADER] == ["收件人：各承办单位 <cb@yunzhou.example>"]
    assert dict(reading.hints) == {"title": SUBJECT, "published_on": "2026-11-09", "issuer": "云州市城市管理局"}


@pytest.mark.parametrize("prefix", ["Re: ", "回复：", "Fw: Re：", "转发: "])
def test_marks_of_answers_are_no_part_of_the_title(prefix: str) -> None:
    assert read(mail(subject=prefix + SUBJECT).as_bytes()).hints["title"] == SUBJECT


def words(text: str, charset: str, step: int) -> str:
    data = text.encode(charset)
    parts = [b64encode(data[place:place + step]).decode() for place in range(0, len(data), step)]
    return "\n ".join(f"=?{charset}?B?{part}?=" for part in parts)


@pytest.mark.parametrize("subject", [
    words(SUBJECT, "utf-8", 300), words(SUBJECT, "utf-8", 10), words(SUBJECT, "gb2312", 9), words(SUBJECT, "gbk", 300),
    "=?gb18030?Q?" + "".join(f"={byte:02X}" for byte in SUBJECT.encode("gb18030")) + "?=", SUBJECT,
])
def test_a_subject_is_read_however_it_is_encoded(subject: str) -> None:
    assert read(raw(f"From: a@b.example\nSubject: {subject}")).hints["title"] == SUBJECT


def test_a_subject_of_raw_gbk_bytes_is_read() -> None:
    data = b"From: a@b.example\nSubject: " + SUBJECT.encode("gbk") + b"\n\ntext\n"
    assert read(data).hints["title"] == SUBJECT


@pytest.mark.parametrize("header", [
    "=?x-unknown?B?////?=", "=?utf-8?B?a?=", "=?utf-8?Q?=ZZ?=", "=??B??=", "\udcff", "=?rot13?Q?a?=",
])
def test_a_broken_header_is_text(header: str) -> None:
    decode_header(header).encode("utf-8")


@pytest.mark.parametrize(("declared", "encoding"), [
    ("utf-8", "utf-8"), ("gb2312", "gb18030"), ("utf-8", "gb18030"), ("us-ascii", "gbk"), ("iso-8859-1", "utf-8"),
    ("gbk", "utf-8"), ("x-unknown", "gbk"), ("hz-gb-2312", "hz"), ("big5", "utf-8"), ("", "gb18030"),
])
def test_text_is_decoded_whatever_is_declared(declared: str, encoding: str) -> None:
    assert decode_bytes("各承办单位请报送名单".encode(encoding), declared) == "各承办单位请报送名单"


def test_text_that_no_charset_fits_is_damaged() -> None:
    headers = "From: a@b.example\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit"
    assert refusal(raw(headers, bytes(range(128, 256)) * 3)).code is Reject.DAMAGED


def test_the_html_is_read_where_there_is_no_text() -> None:
    message = mail("")
    table = "<table><tr><td>甲</td><td>乙</td></tr><tr><td>丙</td><td>丁</td></tr></table>"
    message.set_content(f"<p>第一段</p>{table}<p style='display:none'>藏</p>", subtype="html")
    assert running(read(message.as_bytes()))[3:] == ["第一段", "| 甲 | 乙 |\n| --- | --- |\n| 丙 | 丁 |"]


def test_of_text_and_html_the_text_is_read_unless_it_is_only_a_hint() -> None:
    message = mail()
    message.add_alternative(f"<p>{TEXT}</p>", subtype="html")
    assert running(read(message.as_bytes()))[3] == "各承办单位："
    stub = mail("请用支持HTML的程序查看")
    stub.add_alternative("<p>" + "正文在网页里。" * 30 + "</p>", subtype="html")
    assert running(read(stub.as_bytes()))[3].startswith("正文在网页里。")


def test_flowed_lines_are_joined() -> None:
    body = "一行话在这里 \n被折断。\n下一段。\n-- \n签名\n".encode()
    headers = "From: a@b.example\nContent-Type: text/plain; charset=utf-8; format=flowed; delsp=yes"
    assert running(read(raw(headers, body)))[1:] == ["一行话在这里被折断。", "下一段。", "--", "签名"]


def test_attachments_are_handed_on_with_their_names() -> None:
    message = mail()
    message.add_attachment(b"table", maintype="application", subtype="vnd.ms-excel", filename="分工表（2026）.xls")
    message.add_attachment("内容", filename="说明.txt")
    message.add_attachment(b"x", maintype="application", subtype="ms-tnef", filename="winmail.dat")
    message.add_attachment(b"png", maintype="image", subtype="png", disposition="inline")
    found = [(a.name, a.data) for a in read(message.as_bytes()).attachments]
    assert found == [
        ("分工表（2026）.xls", b"table"), ("说明.txt", "内容\n".encode()), ("winmail.dat", None),
        ("未命名附件.png", b"png"),
    ]


@pytest.mark.parametrize("header", [
    "attachment; filename*=utf-8''%E5%90%8D%E5%8D%95.doc",
    "attachment; filename*0*=gb18030''%C3%FB; filename*1*=%B5%A5.doc",
    'attachment; filename="=?gb2312?B?w/u1pS5kb2M=?="', 'attachment; filename="名单.doc"',
    r'attachment; filename="C:\temp\名单.doc"', 'attachment; filename="../../名单.doc"',
])
def test_a_file_name_is_read_however_it_is_encoded(header: str) -> None:
    part = f"--b\nContent-Type: application/msword\nContent-Disposition: {header}\n\nx\n--b--\n".encode()
    reading = read(raw("From: a@b.example\nContent-Type: multipart/mixed; boundary=b", part))
    assert [a.name for a in reading.attachments] == ["名单.doc"]


def test_a_mail_in_a_mail_is_an_attachment() -> None:
    message = mail()
    message.add_attachment(mail("内层正文\n", "内层：主题"))
    inner = read(message.as_bytes()).attachments[0]
    assert inner.name == "内层：主题.eml"
    assert inner.data is not None
    assert "内层正文" in running(read(inner.data))


def test_a_mail_without_text_is_its_subject_and_attachments() -> None:
    message = mail("")
    message.add_attachment(b"x", maintype="application", subtype="pdf", filename="a.pdf")
    reading = read(message.as_bytes())
    assert len(running(reading)) == 3
    assert len(reading.attachments) == 1


def test_too_many_attachments_are_refused_by_code() -> None:
    message = mail()
    for _ in range(MAX_ATTACHMENTS + 1):
        message.add_attachment(b"x", maintype="application", subtype="pdf", filename="a.pdf")
    assert refusal(message.as_bytes()).code is Reject.TOO_LARGE


@pytest.mark.parametrize("kind", [
    "multipart/encrypted; boundary=b", "application/pkcs7-mime; smime-type=enveloped-data",
])
def test_an_encrypted_mail_is_refused_by_code(kind: str) -> None:
    assert refusal(raw(f"From: a@b.example\nContent-Type: {kind}")).code is Reject.ENCRYPTED


def test_what_is_no_mail_is_refused() -> None:
    assert "邮件头" in refusal("一段普通文字".encode()).reason
    assert refusal(b"From:\n\n\n").code is Reject.EMPTY


def test_deep_nesting_is_refused() -> None:
    parts = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(5000))
    assert "嵌套" in refusal(f"From: a@b.example\n{parts}".encode()).reason


@pytest.mark.parametrize("seed", range(60))
def test_changed_bytes_end_in_a_reading_or_a_clear_error(seed: int) -> None:
    chance = random.Random(seed)
    message = mail()
    message.add_alternative("<p>正文</p>", subtype="html")
    message.add_attachment(b"table" * 9, maintype="application", subtype="pdf", filename="分工表.pdf")
    message.add_attachment(mail())
    data = bytearray(message.as_bytes())
    for _ in range(chance.choice((1, 5, 50))):
        place = chance.randrange(len(data))
        match chance.randrange(3):
            case 0:
                data[place] = chance.randrange(256)
            case 1:
                del data[place:place + chance.randrange(1, 60)]
            case _:
                data[place:place] = chance.choice((b"\n\n", b"=?utf-8?B?", b"\xff", b"\0", b";", b"''%", b'"', b"*0*="))
    with suppress(IngestError):
        read(bytes(data))
