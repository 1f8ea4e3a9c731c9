"""文种 from the last words of a title, else from the page; and the letters and orders that print something else."""

from __future__ import annotations

import pytest

from core.config import Config
from ingest.official import read_official


def fields(config: Config, title: str, text: str) -> dict[str, list[str]]:
    official = read_official(text, (0, len(text)), {"title": title}, "甲", config.regions.names)
    found: dict[str, list[str]] = {}
    for field in official.fields:
        found.setdefault(field.name, []).append(field.value)
    return found


@pytest.mark.parametrize(("title", "text", "kind"), [
    ("供热改造进展情况", "一、开工情况\n已开工三处。", "其他"),
    ("临海市供热局2023年供热工作情况", "一年来，我局认真工作。", "报告"),
    ("供热工作汇报", "省供热厅：\n现将工作汇报如下。", "报告"),
    ("关于推进供热的若干举措", "一、加快改造。", "其他"),
    ("《供热规则》发布", "为规范供热，有关单位编制了规则。", "新闻"),
    ("甲部颁布《供热暂行办法》", "近日，甲部颁布《供热暂行办法》。", "新闻"),
    ("甲部详解《供热暂行办法》", "近日，甲部印发了办法。", "解读"),
    ("普法宣传|《中华人民共和国供热法》", "这部法律亮点突出。", "解读"),
    ("《供热条例》政策解读", "问：何时供热？\n答：十一月。\n问：谁供热？\n答：公司。", "解读"),
    ("“供热条例”新闻发布会全程实录", "主持人：开始。", "新闻"),
    ("供热清理结果", "序号 文件名称\n1 《供热电价办法》继续有效", "其他"),
    ("供热要点在创新", "《供热行动方案》（以下简称《方案》）已出台。" + "《方案》提出了要求。" * 6, "解读"),
    ("临海市供热局关于收费项目", "乙区政府：\n现就有关问题函复如下：\n一、同意。", "函"),
    ("临海市供热局关于供热督导评...", "各区政府：\n现将情况通报如下。\n一、结果。", "通报"),
    ("临海市供热局关于印发《供热大纲...", "附件：1.大纲甲\n2.大纲乙", "通知"),
    ("供热评估", "现对相关信息进行公示，公示期为十日。", "其他"),
])
def test_kind(config: Config, title: str, text: str, kind: str) -> None:
    assert fields(config, title, text)["文种"] == [kind]


def test_a_plan_that_is_printed_with_its_letter_is_a_notice(config: Config) -> None:
    text = "各区人民政府：\n《临海市供热计划》已经审定，现印发你们，请落实。\n临海市供热局\n2020年7月7日\n"
    found = fields(config, "临海市供热计划", text)
    assert (found["文种"], found["成文日期"]) == (["通知"], ["2020-07-07"])


@pytest.mark.parametrize(("adopted", "signer", "issuer"), [
    ("省政府第135次常务会议", "代省长王某某", "河北省人民政府"),
    ("甲部第9次部务会议", "部长王某某", "甲部"),
    ("某某大会第三次会议", "中华人民共和国主席王某某", "中华人民共和国主席"),
])
def test_what_is_proclaimed_and_signed_is_an_order_without_a_number(
    config: Config, adopted: str, signer: str, issuer: str
) -> None:
    text = (
        f"《河北省供热办法》已经2021年11月17日{adopted}通过，现予公布，自2022年4月1日起施行。 {signer} "
        "2021年11月28日 河北省供热办法 第一章 总则 第一条 为了供热，制定本办法。"
    )
    found = fields(config, "河北省供热办法", text)
    assert (found["文种"], found["发文机关"]) == (["令"], [issuer])
    assert (found["成文日期"], found["发布日期"], found["施行日期"]) == (["2021-11-28"], ["2021-11-28"], ["2022-04-01"])


@pytest.mark.parametrize(("text", "number"), [
    ("关于供热的通知 冀供字﹝2016﹞35号各市供热局： 请执行。", "冀供字〔2016〕35号"),
    ("河北省供热厅 冀供字〔2017〕26号 河北省供热厅 关于供热的通知各市供热局： 请执行。", "冀供字〔2017〕26号"),
    ("关于供热的决定 (2016年7月10日) 冀发〔2016〕29号 为供热，决定如下。", "冀发〔2016〕29号"),
    ("冀供山〔2016〕2号 有关设区市供热局： 请执行。", "冀供山〔2016〕2号"),
    ("教冀学处〔2018〕19号\n各市教育局：\n请执行。", "教冀学处〔2018〕19号"),
])
def test_the_number_below_a_head_a_title_or_a_date(config: Config, text: str, number: str) -> None:
    assert fields(config, "关于供热的通知", text)["发文字号"] == [number]


def test_a_date_in_han_numerals_signs_before_the_plan_that_follows_at_once(config: Config) -> None:
    text = "各市政府：\n现印发给你们，请认真贯彻执行。 二〇〇四年四月三十日 为加快供热，制定本方案。\n一、目标"
    assert fields(config, "关于印发供热方案的通知", text)["成文日期"] == ["2004-04-30"]


def test_a_date_that_cites_another_document_does_not_sign(config: Config) -> None:
    text = "本规则施行。一九九〇年七月二十七日原国家甲委发布的《供热规则》同时废止。"
    assert "成文日期" not in fields(config, "供热规则", text)


def test_the_office_of_a_ministry_is_national(config: Config) -> None:
    found = fields(config, "人力资源社会保障部办公厅关于供热的通知", "各地：\n请执行。\n")
    assert (found["行政层级"], found["适用区域"]) == (["国家"], ["000000"])


@pytest.mark.parametrize(("text", "names"), [
    ("请执行。\n附件：1.《供热表》\n2.《指标说明》\n", ["《供热表》", "《指标说明》"]),
    ("请执行。\n附件：1.指标\n2.分工表\n供热指标\n1.覆盖率\n说明\n2.满意率\n说明\n3.其他\n", ["指标", "分工表"]),
    ("请执行。 附件1：供热办法.doc 附件2：《供热表》.doc 甲局", ["供热办法", "《供热表》"]),
    ("请执行。\n附件、供热方案（冀供【2019】23号）\n", ["供热方案（冀供【2019】23号）"]),
    ("请执行。 附：供热任务书 二〇〇四年四月七日 一、目标", ["供热任务书"]),
])
def test_attachments_are_named_as_listed(config: Config, text: str, names: list[str]) -> None:
    assert fields(config, "关于供热的通知", f"各市供热局：\n{text}")["附件"] == names
