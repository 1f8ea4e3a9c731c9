"""What articles say of other articles, as rules read it."""

from __future__ import annotations

import pytest

from core.numerals import chinese_number, number
from core.records import Facts
from ingest.document import make_document
from kb.graph.definitions import defined_terms
from kb.graph.references import Reference, Relation, references
from kb.law_names import bare_name, declared_names, implemented, is_document_name, name_key

Read = list[tuple[str, str, str | None, str]]


def read(*articles: str, title: str = "临江市养犬管理条例", preamble: str = "") -> Read:
    """(words, name, address, part) of each reference but definitions; every span is checked against the text."""
    found = raw(*articles, title=title, preamble=preamble)
    return [(words, r.name, r.address, r.part) for words, r in found if r.kind is not Relation.DEFINES]


def raw(*articles: str, title: str = "临江市养犬管理条例", preamble: str = "") -> list[tuple[str, Reference]]:
    articles = (*articles, "自公布之日起施行。")
    lines = [f"第{chinese_number(n)}条　{text}" for n, text in enumerate(articles, start=1)]
    text = "\n".join([title, *([preamble] if preamble else []), *lines])
    document = make_document(Facts(title), text, "a.md", name=None, chunk_chars=1200)
    assert document.articles[-1].address == f"第{chinese_number(len(articles))}条"
    return [(document.text[r.start : r.end], r) for r in references(document)]


def kinds(*articles: str, title: str = "临江市养犬管理条例") -> list[tuple[Relation, str, str | None]]:
    return [(r.kind, r.name, r.address) for _, r in raw(*articles, title=title)]


# numbers


@pytest.mark.parametrize(
    ("label", "value"), [("八", 8), ("十", 10), ("十二", 12), ("三十八", 38), ("一百零二", 102), ("一千二百六十", 1260)]
)
def test_numerals_go_both_ways(label: str, value: int) -> None:
    assert number(label) == value
    assert chinese_number(value) == label


@pytest.mark.parametrize(("label", "value"), [("38", 38), ("３８", 38), ("二〇", 20), ("两", 2)])
def test_other_ways_to_write_a_number(label: str, value: int) -> None:
    assert number(label) == value


def test_every_number_of_an_article_comes_back() -> None:
    assert [number(chinese_number(value)) for value in range(1, 2000)] == list(range(1, 2000))


def test_a_mixture_is_no_number() -> None:
    with pytest.raises(ValueError, match="3十"):
        number("3十")


# names


@pytest.mark.parametrize(("title", "key"), [
    ("《中华人民共和国民法典》", "民法典"),
    ("中华人民共和国刑法修正案(八)", "刑法修正案（八）"),
    ("物业管理条例（2018年修订）", "物业管理条例"),
    ("关于适用《中华人民共和国民法典》婚姻家庭编的解释（一）", "关于适用民法典婚姻家庭编的解释（一）"),
])
def test_a_name_is_compared_without_its_ornaments(title: str, key: str) -> None:
    assert name_key(title) == key


@pytest.mark.parametrize(("title", "law"), [
    ("中华人民共和国个人所得税法实施条例", "个人所得税法"),
    ("河南省实施《中华人民共和国土地管理法》办法", "土地管理法"),
    ("河南省消费者权益保护法实施办法", "消费者权益保护法"),
    ("最高人民法院关于适用《中华人民共和国民法典》婚姻家庭编的解释（一）", "民法典"),
    ("最高人民检察院关于适用刑法分则规定的犯罪的罪名的意见", "刑法"),
    ("最高人民检察院关于具体适用修订刑法第十二条若干问题的通知", "刑法"),
    ("最高人民法院关于审理劳动争议案件适用法律问题的解释（一）", None),
    ("临江市养犬管理条例", None),
])
def test_a_title_says_what_it_carries_out(title: str, law: str | None) -> None:
    assert implemented(title) == law


@pytest.mark.parametrize(("run", "name"), [
    ("人民法院依照民事诉讼法", "民事诉讼法"),
    ("应当认定为反不正当竞争法", "反不正当竞争法"),
    ("违反数据安全法", "数据安全法"),
    ("用人单位与劳动者违反劳动合同法", "劳动合同法"),
    ("当事人主张中华人民共和国临江港法", "临江港法"),
    ("采取其他方法", None),
    ("有关机关依法", None),
])
def test_the_name_of_a_law_is_cut_free(run: str, name: str | None) -> None:
    found = bare_name(run, {})
    assert (found and found[1]) == name
    if found:
        assert run[found[0] :].endswith(found[1])


def test_a_short_name_stands_for_the_long_one() -> None:
    text = "《中华人民共和国税收征收管理法》（以下简称征管法）和《临江市市容条例》（以下简称《条例》）"
    assert list(declared_names(text)) == [("征管法", "税收征收管理法"), ("条例", "临江市市容条例")]


def test_certificates_and_forms_are_no_documents() -> None:
    assert not any(map(is_document_name, ("道路运输经营许可证", "责令改正通知书", "申请表", "特种作业操作证")))
    assert all(map(is_document_name, ("养犬管理条例", "刑法修正案（八）", "国家危险废物名录", "关于养犬的通知")))


# lists of articles


def test_an_article_of_another_law_is_cited_with_paragraph_and_item() -> None:
    assert read("依照《中华人民共和国动物防疫法》第三十条第二款第（三）项处理。") == [
        ("《中华人民共和国动物防疫法》第三十条第二款第（三）项", "动物防疫法", "第三十条", "第二款第（三）项")
    ]


def test_a_list_gives_one_reference_each() -> None:
    found = read("违反《动物防疫法》第三条、第五条第一款和第九条之一的，处以罚款。")
    assert [(name, address, part) for _, name, address, part in found] == [
        ("动物防疫法", "第三条", ""), ("动物防疫法", "第五条", "第一款"), ("动物防疫法", "第九条之一", ""),
    ]
    assert found[1][0] == "第五条第一款"


@pytest.mark.parametrize("words", ["第三条至第六条", "第三至六条", "第三条到第六条", "第3条至第6条"])
def test_a_range_stands_for_every_article_in_it(words: str) -> None:
    found = read(f"适用民法典{words}的规定。")
    assert [address for _, _, address, _ in found] == ["第三条", "第四条", "第五条", "第六条"]


def test_this_rule_is_this_document() -> None:
    assert read("总则。", "违反本条例第一条第一项、第二项的，处罚。")[-1] == (
        "本条例第一条第一项、第二项", "", "第一条", "第一项、第二项"
    )


def test_a_basic_law_is_not_this_law() -> None:
    assert [name for _, name, _, _ in read("依照香港特别行政区基本法第五条办理。")] == ["香港特别行政区基本法"]


def test_an_article_without_a_law_is_of_this_document_where_it_has_such_an_article() -> None:
    assert read("总则。", "违反第一条规定的，处罚。") == [("第一条", "", "第一条", "")]
    assert read("总则。", "违反第九条规定的，处罚。") == []


def test_an_article_of_a_contract_is_nobodys() -> None:
    assert read("总则。", "当事人违反合同第一条的，承担责任。") == []


def test_the_article_before_and_this_article() -> None:
    found = read("甲。", "乙。", "前条规定以外的，适用前两条和本条第一款，目前条件不具备的除外。")
    assert [(words, address) for words, _, address, _ in found] == [
        ("前条", "第二条"), ("前两条", "第一条"), ("前两条", "第二条"), ("本条第一款", "第三条")
    ]


def test_basic_conditions_are_no_article() -> None:
    assert read("认证机构基本条件和本条例由主管部门解释。") == []


def test_an_interpretation_goes_on_with_the_law_it_named() -> None:
    title = "最高人民法院关于审理养犬纠纷案件的解释"
    found = read("民法典第八条所称“甲”、第九条所称“乙”，是指丙。", title=title)
    assert [(name, address) for _, name, address, _ in found] == [("民法典", "第八条"), ("民法典", "第九条")]


def test_a_list_of_offences_gives_the_articles_of_its_law_in_brackets() -> None:
    title = "关于适用刑法分则规定的犯罪的罪名的意见"
    found = read("1．背叛国家罪（第102条） 2．分裂国家罪（第103条第1款）", title=title)
    assert [(name, address, part) for _, name, address, part in found][1:] == [
        ("刑法", "第一百零二条", ""), ("刑法", "第一百零三条", "第1款")
    ]


def test_the_said_law_is_the_one_named_last() -> None:
    found = read("依照《动物防疫法》第三条处理，情节严重的依照该法第五条。")
    assert [(name, address) for _, name, address, _ in found] == [("动物防疫法", "第三条"), ("动物防疫法", "第五条")]


def test_a_contract_law_is_not_the_said_law() -> None:
    assert [name for _, name, _, _ in read("依照合同法第五十二条处理。")] == ["合同法"]


def test_the_rules_of_a_regulation_mean_it_by_its_last_word() -> None:
    found = read("《条例》第五条由主管部门执行。", title="临江市养犬管理条例实施细则")
    assert [(name, address) for _, name, address, _ in found][-1] == ("临江市养犬管理条例", "第五条")


def test_a_label_that_was_not_split_off_is_no_citation() -> None:
    assert read("甲。", "乙应当遵守规定。 第一条 航空器起飞后，丙。") == []


# whole documents, grounds, amendments


def test_whole_documents_are_cited_but_not_certificates() -> None:
    assert read("凭《养犬登记证》依照《中华人民共和国治安管理处罚法》处理。") == [
        ("《中华人民共和国治安管理处罚法》", "治安管理处罚法", None, "")
    ]


def test_grounds_are_told_from_other_citations() -> None:
    found = kinds(
        "为了加强养犬管理，根据宪法和《动物防疫法》、《传染病防治法》第九条等，制定本条例。",
        "违反《治安管理处罚法》的，依法处理。",
    )
    assert found == [
        (Relation.BASIS, "宪法", None), (Relation.BASIS, "动物防疫法", None),
        (Relation.BASIS, "传染病防治法", "第九条"), (Relation.CITES, "治安管理处罚法", None),
    ]


def test_grounds_may_stand_before_the_first_article() -> None:
    found = raw("甲。", preamble="为正确审理案件，根据《中华人民共和国民法典》，制定本解释。")
    assert [(r.kind, r.name) for _, r in found] == [(Relation.BASIS, "民法典")]


def test_the_law_that_a_title_carries_out_is_known() -> None:
    words, reference = raw("甲。", title="临江市实施《中华人民共和国动物防疫法》办法")[0]
    assert (reference.kind, reference.name, reference.article) == (Relation.IMPLEMENTS, "动物防疫法", None)
    assert words == "临江市实施《中华人民共和国动物防疫法》办法"


def test_words_put_into_another_law_refer_to_nothing() -> None:
    found = kinds(
        "将刑法第一百条修改为：“依照本法第三条、第八条的规定处罚。”",
        "在刑法第二百条后增加一条，作为第二百条之一：“违反前条的，处罚。”",
        title="中华人民共和国刑法修正案（二十）",
    )
    assert found == [
        (Relation.AMENDS, "刑法", "第一百条"), (Relation.AMENDS, "刑法", "第二百条"),
        (Relation.AMENDS, "刑法", "第二百条之一"),
    ]


def test_a_decision_names_its_law_in_the_title() -> None:
    title = "临江市人民代表大会常务委员会关于修改《临江市养犬管理条例》的决定"
    found = kinds("将第八条修改为：“依照第九条处罚。”", "删去第十条。", title=title)
    assert found == [(Relation.AMENDS, "临江市养犬管理条例", address) for address in ("第八条", "第十条")]


# definitions


@pytest.mark.parametrize(("text", "terms"), [
    ("本条例所称犬只，是指家养的犬。", ["犬只"]),
    ("本条例所称的烈性犬、大型犬，是指体高六十厘米以上的犬。", ["烈性犬", "大型犬"]),
    ("本法所称“重点管理区”，包括建成区。", ["重点管理区"]),
    ("下列用语的含义：（一）犬只，是指家养的犬；（二）养犬人，是指饲养人。", ["犬只", "养犬人"]),
    ("民法典第八条所称“甲类犬”是指烈性犬。", ["甲类犬"]),
    ("犬只是指家养的犬。", ["犬只"]),
    ("本条例所称见义勇为行为，是指制止侵害。", ["见义勇为行为"]),
    ("由市人民政府指定的部门负责，所称部门由其指导。", []),
    ("违反规定的，责令改正。", []),
])
def test_defined_terms(text: str, terms: list[str]) -> None:
    found = list(defined_terms(text))
    assert [term for _, _, term in found] == terms
    assert [text[start:end] for start, end, _ in found] == terms


def test_a_definition_leads_to_its_article() -> None:
    assert kinds("总则。", "本条例所称犬只，是指家养的犬。") == [(Relation.DEFINES, "犬只", "第二条")]


# damage


@pytest.mark.parametrize("text", [
    "第", "第条", "《》第一条", "《《第一条》", "“第一条", "第九千九百九十九条至第一条", "前条前条", "第零条",
    "第一条" * 300, "第一千百十条", "（以下简称）第一条", "《" * 200 + "第一条", "第3十条", "第一条、" * 200,
    "称" * 300 + "《甲法》",
])
def test_odd_text_ends_in_references_or_none(text: str) -> None:
    for words, reference in raw(f"甲{text}", "乙。"):
        assert words or reference.article is None
