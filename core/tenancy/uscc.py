"""The unified social credit code (统一社会信用代码, GB 32100-2015): 18 characters, the last one a check.

`stdnum.cn.uscc` works out the check; this file says what is wrong with a code that does not hold, so that a person can
mend it. The first two characters (registrar and kind) may be letters: more registrars were added since stdnum was written.
"""

import unicodedata

from stdnum.cn import uscc

from core.kernel import Invalid

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # no I, O, S, V, Z: too like 1, 0, 5, U, 2
LENGTH = 18


def check_uscc(typed: str, field: str = "uscc") -> str:
    """The code in its one spelling (upper case, no blanks or dashes). Raises Invalid naming what to mend."""
    code = unicodedata.normalize("NFKC", typed).replace(" ", "").replace("-", "").upper()
    if len(code) != LENGTH:
        raise Invalid.one(field, "uscc.wrong_length", length=len(code))
    for position, char in enumerate(code, start=1):
        if char not in ALPHABET:
            raise Invalid.one(field, "uscc.wrong_character", character=char, position=position)
        if 3 <= position <= 8 and not ("0" <= char <= "9"):
            raise Invalid.one(field, "uscc.region_not_digits", character=char, position=position)
    if code[-1] != check_character(code[:-1]):
        raise Invalid.one(field, "uscc.wrong_check", given=code[-1])
    return code


def check_character(first17: str) -> str:
    """The 18th character that belongs to the first seventeen."""
    return uscc.calc_check_digit(first17)
