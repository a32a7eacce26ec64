"""Everything a person can see of the EWM connector has its sentence, here or where SAP over OData has it already."""

import re
from pathlib import Path

import connectors.sap.ewm
import connectors.sap.odata
from connectors.sap.ewm.system import SapEwm

HERE, SHARED = Path(connectors.sap.ewm.__file__).parent, Path(connectors.sap.odata.__file__).parent


def sentences(folder: Path, language: str) -> dict[str, str]:
    text = (folder / "words" / f"{language}.po").read_text()
    return dict(re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', text, re.MULTILINE))


def test_every_error_code_has_a_cause_and_a_remedy():
    source = "".join(path.read_text() for path in HERE.glob("*.py"))
    own, shared = set(re.findall(r'"(ewm\.[a-z_]+)"', source)), set(re.findall(r'"(sap\.[a-z_]+)"', source))
    assert len(own) > 8 and shared
    for language in ("zh", "en"):
        told = sentences(HERE, language)
        wanted = {f"{kind}.{code}" for code in own for kind in ("cause", "remedy")}
        assert {name for name in told if ".ewm." in name} == wanted
        also = {f"{kind}.{code}" for code in shared for kind in ("cause", "remedy")}
        assert also - set(sentences(SHARED, language)) == set()


def test_every_setting_and_stream_has_its_chinese():
    told = sentences(HERE, "zh") | sentences(SHARED, "zh")
    seen = {SapEwm.title, SapEwm.summary, *(kind.title for kind in SapEwm.streams)}
    for setting in SapEwm.settings:
        seen |= {setting.title, setting.hint, *(title for _, title in setting.choices)}
    assert seen - {""} - set(told) == set()
