"""Personal data in what people write: it is made unreadable before a text is kept.

Masked are telephone numbers, numbers of identity cards and bank cards, plates and e-mail addresses. Rather too much
than too little: a run of fifteen digits is masked whatever it counts. Short numbers that everybody may call, such as
12345 or 96999, sums and dates stay.
"""

from __future__ import annotations

import re

MASK = "*"

_GAP = r"[ \-—·.]?"
_PROVINCE = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新港澳台使领学警"
_SPOKEN = "零〇一幺二两三四五六七八九"
_PATTERNS = tuple(re.compile(pattern, re.IGNORECASE) for pattern in (
    r"[a-z0-9_%+\-][a-z0-9._%+\-]*@[a-z0-9\-]+(?:\.[a-z0-9\-]+)+",
    rf"(?<![0-9])(?:[0-9]{_GAP}){{17}}[0-9x](?![0-9a-z])",                       # identity card
    rf"(?<![0-9])[0-9](?:{_GAP}[0-9]){{14,18}}(?![0-9])",                        # bank card, old identity card
    rf"(?<![0-9])(?:\+?86{_GAP})?1[3-9][0-9](?:{_GAP}[0-9]{{4}}){{2}}(?![0-9])",     # 138 1234 5678
    rf"(?<![0-9])(?:\+?86{_GAP})?1[3-9][0-9]{{2}}{_GAP}[0-9]{{3}}{_GAP}[0-9]{{4}}(?![0-9])",
    r"(?<![0-9])[（(]?0[0-9]{2,3}[）)]?[ \-—]?[2-9][0-9]{6,7}(?![0-9])",                # with an area code
    r"(?:电话|手机|座机|号码|联系方式|打)[^0-9]{0,4}([2-9][0-9]{6,7})(?![0-9年月日元.])",     # without one
    rf"(?:幺|一)[{_SPOKEN}]{{10}}(?![{_SPOKEN}])",                                    # as it is said
    rf"(?:[{_SPOKEN}]){{17}}[{_SPOKEN}x]",
    rf"[{_PROVINCE}][a-z][ ·•.\-]?(?:[0-9a-z]{{5,6}}|[0-9a-z]{{4}}[{_PROVINCE}挂])(?![0-9a-z])",      # 粤A·12345
))
_HALF = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}      # full-width letters, digits, signs: as many


def masked(text: str) -> str:
    """``text`` with an asterisk for each character of what is personal; its length stays.

    >>> masked("我是13812345678，问低保")
    '我是***********，问低保'
    """
    even = text.translate(_HALF)
    out = list(text)
    for pattern in _PATTERNS:
        for match in pattern.finditer(even):
            start, end = match.span(1) if match.lastindex else match.span()
            out[start:end] = MASK * (end - start)
    return "".join(out)
