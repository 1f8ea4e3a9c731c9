"""The invented city's documents that are not printed: a web page, slides, a mail, lists and plain text.

Written for this project, CC0. The rules, numbers and telephone numbers do not exist; see data_samples/README.md.
"""

from __future__ import annotations

ID_CARD_PAGE = """<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<title>关于优化居民身份证和户口簿补领换领服务的通告_临澜市人民政府门户网站</title>
<meta name="SiteName" content="临澜市人民政府门户网站">
<meta name="ColumnName" content="通知公告">
<meta name="ArticleTitle" content="关于优化居民身份证和户口簿补领换领服务的通告">
<meta name="PubDate" content="2026-05-22 10:15">
<meta name="ContentSource" content="临澜市公安局">
<meta name="Url" content="https://www.linlan.example/gaj/2026-6.html">
<link rel="stylesheet" href="/css/common.css">
<style>.xl { border-collapse: collapse } .nav li { float: left }</style>
<script>var siteId = "900100"; function fontSize(n) { document.getElementById("zoom").style.fontSize = n; }</script>
</head>
<body>
<div class="header"><a href="/">临澜市人民政府</a> <a href="#" onclick="aria.start()">无障碍阅读</a> <a href="/sj/">\
手机版</a>
<form action="/so/"><input name="q" placeholder="请输入关键词"><button>搜索</button></form></div>
<ul class="nav">
<li><a href="/">首页</a></li><li><a href="/zx/">临澜要闻</a></li><li><a href="/zwgk/">政务公开</a></li>
<li><a href="/bszn/">政务服务</a></li><li><a href="/hd/">互动交流</a></li><li><a href="/zj/">走进临澜</a></li>
</ul>
<div class="position">您当前的位置：<a href="/">首页</a> &gt; <a href="/zwgk/">政务公开</a> &gt; <a href="/tzgg/">\
通知公告</a></div>
<table class="xl" border="1">
<tr><th>索引号</th><td>LL0004-2026-00031</td><th>主题分类</th><td>公安、户籍</td></tr>
<tr><th>发布机构</th><td>临澜市公安局</td><th>成文日期</th><td>2026年05月20日</td></tr>
<tr><th>文&emsp;&emsp;号</th><td>临公通〔2026〕6号</td><th>发布日期</th><td>2026年05月22日</td></tr>
<tr><th>有效性</th><td>有效</td><th>公开属性</th><td>主动公开</td></tr>
</table>
<h1 class="title">关于优化居民身份证和户口簿补领换领服务的通告</h1>
<div class="info"><span>发布时间：2026-05-22 10:15</span> <span>来源：临澜市公安局</span> <span>浏览次数：1024</span>
<span>字体：[<a href="javascript:fontSize('18px')">大</a> <a href="javascript:fontSize('14px')">小</a>]</span></div>
<div id="zoom" class="article-content">
<p style="text-indent:2em">为方便群众办理居民身份证和户口簿，现将补领、换领服务有关事项通告如下：</p>
<p style="text-indent:2em"><strong>一、办理地点</strong></p>
<p style="text-indent:2em">居民可以到全市任一公安派出所户籍窗口申请，不受户籍所在地限制。\
自助办证机设在市政务服务中心一楼，全天开放。</p>
<p style="text-indent:2em"><strong>二、办理时限和收费</strong></p>
<p style="text-indent:2em">办理时限和收费标准按照下表执行：</p>
<table border="1" cellspacing="0">
<thead><tr><th>事项</th><th>办理时限</th><th>收费标准</th></tr></thead>
<tbody>
<tr><td>居民身份证首次申领</td><td rowspan="3">十个工作日</td><td>不收费</td></tr>
<tr><td>居民身份证到期换领、损坏换领</td><td>每证18元</td></tr>
<tr><td>居民身份证丢失补领</td><td>每证36元</td></tr>
<tr><td>临时居民身份证</td><td>当场</td><td>每证10元</td></tr>
<tr><td>户口簿丢失补领</td><td>当场</td><td>每本8元</td></tr>
</tbody>
</table>
<p style="text-indent:2em"><strong>三、免收情形</strong></p>
<p style="text-indent:2em">（一）最低生活保障对象、特困人员换领、补领居民身份证的，免收工本费；</p>
<p style="text-indent:2em">（二）因户口登记机关原因造成登记内容错误需要更换的，免收工本费。</p>
<p style="text-indent:2em"><strong>四、上门服务</strong></p>
<p style="text-indent:2em">高龄、重病、残疾等行动不便的居民，可以由家属或者社区电话预约民警上门采集照片和指纹，\
派出所应当在三个工作日内上门。预约电话：0900-1234524。</p>
<p style="text-indent:2em">本通告自2026年6月1日起施行。</p>
<p style="text-align:right">临澜市公安局</p>
<p style="text-align:right">2026年5月20日</p>
<p>附件：<br>1. <a href="/upload/2026/sqb.docx">居民身份证申领登记表.docx</a><br>2. <a href="/upload/2026/wts.pdf">\
代办委托书（样式）.pdf</a></p>
</div>
<div class="share">分享到：<a href="#">微信</a> <a href="#">微博</a> <a href="javascript:window.print()">打印本页</a>\
 <a href="javascript:window.close()">关闭窗口</a></div>
<div class="related"><h3>相关文章</h3><ul><li><a href="/gaj/2024-2.html">临澜市居住证和积分落户实施细则</a></li>\
</ul></div>
<div class="footer">
<p>主办：临澜市人民政府办公室　承办：临澜市政务服务和数据管理局</p>
<p>网站标识码：9001000001　备案号：江岳ICP备00000000号　政务服务便民热线：12345</p>
</div>
</body>
</html>
"""

READING_ROOMS = (
    ("名称", "所在区", "地址", "开放时间", "座位数", "电话"),
    ("东塔城市书房", "澜东区", "东塔街12号", "8:00—22:00", "60", "0900-1234513"),
    ("钟楼城市书房", "澜东区", "钟楼大街45号", "24小时", "42", "0900-1234514"),
    ("柳湖城市书房", "澜西区", "柳湖路8号", "8:00—21:00", "55", "0900-1234515"),
    ("织染里城市书房", "澜西区", "织染街道文化站、一楼", "9:00—21:00", "36", "0900-1234516"),
    ("盐仓城市书房", "临港县", "盐仓街30号", "8:30—20:30", "48", "0900-1234517"),
    ("海平城市书房", "临港县", "海平社区广场东侧", "9:00—20:00", "30", "0900-1234518"),
)

SLIDES = (
    ("“临澜通”手机办事操作指引", ("临澜市政务服务和数据管理局", "2026年3月16日")),
    ("注册和实名认证", (
        "在手机应用商店搜索“临澜通”下载安装，使用手机号码注册。",
        "点击“我的—实名认证”，按照提示刷脸认证，约一分钟完成。",
        "未成年人和老年人可以由家人添加为“亲友账户”，每个账户最多添加五人。",
    )),
    ("网上提交材料", (
        "选择事项后，系统自动调取已有的电子证照，不需要重复上传。",
        "需要上传的照片，每张不超过5MB，支持JPG和PNG格式。",
        "提交后可以在“我的—办件”查看进度，退回补正的应当在十日内补齐，逾期视为撤回。",
    )),
    ("忘记密码和账户安全", (
        "忘记密码的，可以刷脸重置；刷脸失败的，持身份证到任一便民服务中心窗口重置。",
        "连续五次输错密码，账户锁定三十分钟。",
        "操作咨询电话：0900-1234519，服务时间为每日8:00至20:00。",
    )),
)

SLIDE_TABLE = (
    ("事项", "在哪里找", "办结时限"),
    ("居住登记", "首页—居住", "当场"),
    ("敬老卡补办", "首页—养老", "五个工作日"),
    ("大件垃圾预约", "首页—家园", "两日内上门"),
)

MAIL = """各承办单位：

气象部门预计本月中旬起有雨雪天气。为及时办理群众反映的道路积雪、结冰和水管冻裂等诉求，现将有关事项函告如下：

一、道路积雪、结冰类诉求按照附件的分工直接派单，各单位应当在附件规定的时限内到场。

二、居民家中水管冻裂的诉求，由供水服务热线0900-1234541受理，抢修人员一小时内到场。

三、各单位值班人员名单于11月12日前报市12345热线中心，联系电话0900-1234548。

请各单位于每日17:00前反馈当日办理情况。

临澜市12345政务服务便民热线中心
2026年11月9日
"""

LIBRARY = """---
标题: "图书馆读者常见问题"
发文机关: "临澜市图书馆"
文种: "常见问题"
效力级别: "常见问题"
适用区域: "900100"
成文日期: "2026-02-25"
发布日期: "2026-02-25"
有效性: "现行有效"
公开属性: "公开"
咨询电话: "0900-1234531"
来源: "https://www.linlan.example/tsg/faq.html"
---

图书馆读者常见问题

问：办理读者证需要押金吗？
答：不需要。凭身份证或者居住证在自助机办理，当场领取；也可以使用“临澜通”的电子读者证。

问：一次可以借几本书，借多久？
答：每证最多借10册，借期30天，可以续借一次，续借15天。少儿读者证最多借15册。

问：逾期还书怎么收费？
答：每册每日收取逾期费0.1元，每册最高不超过10元。少儿读者和六十五周岁以上老年人免收。

问：书丢了怎么赔？
答：可以自行购买同版本图书抵还，也可以按照图书定价的一点五倍赔偿。

问：图书馆几点开门？
答：周二至周日9:00至20:30开放，周一闭馆；法定节假日开放时间另行公告。自助图书馆二十四小时开放。

问：在城市书房借的书可以还到总馆吗？
答：可以。全市图书馆和城市书房通借通还，收到后当日完成还书登记。

咨询电话：0900-1234531。
"""
