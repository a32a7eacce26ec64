"""Everything a person can see of the SAP connector has its sentence, in Chinese and, for causes, in English."""

import re
from pathlib import Path

import connectors.sap.odata
from connectors.sap.odata.system import SapOData

HERE = Path(connectors.sap.odata.__file__).parent


def sentences(language):
    text = (HERE / "words" / f"{language}.po").read_text()
    return dict(re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', text, re.MULTILINE))


def test_every_error_code_has_a_cause_and_a_remedy():
    files = [*HERE.glob("*.py"), *HERE.glob("filing/*.py")]
    source = "".join(path.read_text() for path in files)
    codes = set(re.findall(r'"(sap\.[a-z_]+)"', source))
    assert len(codes) > 30
    for language in ("zh", "en"):
        told = sentences(language)
        wanted = {f"{kind}.{code}" for code in codes for kind in ("cause", "remedy")}
        assert wanted - set(told) == set()
        assert {name for name in told if ".sap." in name} - wanted == set()


def test_every_setting_and_stream_has_its_chinese():
    told = sentences("zh")
    seen = {SapOData.title, SapOData.summary, *(kind.title for kind in SapOData.streams)}
    for setting in SapOData.settings:
        seen |= {setting.title, setting.hint, *(title for _, title in setting.choices)}
    assert seen - {""} - set(told) == set()
