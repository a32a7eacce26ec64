"""A folder as a source: what lies in it is offered, taken with its libraries, and checked like anything else."""

from pathlib import Path

import pytest

from tests.host.life.wheels import file_name, library, wheel
from tests.host.trust.conftest import Call, codes
from tests.host.trust.publisher import Maker


@pytest.fixture
def shelf(call: Call, tmp_path: Path) -> str:
    """A folder the operator allows."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    answer = call("POST", "/sources", {"address": f"{folder}/"})
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["address"])


def fetch(call: Call, source: str, distribution: str, version: str | None = None) -> object:
    return call("POST", "/offers/fetch", {"source": source, "distribution": distribution, "version": version})


def test_a_folder_offers_its_plugins_by_name_title_and_summary(call: Call, shelf: str, maker: Maker) -> None:
    for version in ("1.0", "1.1", "2.0rc1"):
        maker.put(Path(shelf), file_name("apple", version), wheel("apple", version))
    maker.put(Path(shelf) / "deeper", file_name("pear"), wheel("pear"))
    maker.put(Path(shelf), "nonsense.whl", b"x")
    maker.put(Path(shelf), file_name("broken"), b"no zip")
    (listing,) = call("GET", "/offers", source=shelf).get_json()["items"]
    seen = {each["distribution"]: each for each in listing["offers"]}
    assert set(seen) == {"made-apple", "made-pear", "made-broken"}
    assert (seen["made-apple"]["plugin"], seen["made-apple"]["version"]) == ("apple", "1.1")
    assert seen["made-apple"]["title"]["zh"] == "插件apple"
    assert seen["made-broken"]["problem"]["code"] == "plugin.wheel_unreadable"
    (found,) = call("GET", "/offers", source=shelf, word="插件pear").get_json()["items"]
    assert [each["plugin"] for each in found["offers"]] == ["pear"]
    told = call("GET", "/offers/versions", source=shelf, distribution="Made.Apple").get_json()
    assert [each["version"] for each in told["versions"]] == ["2.0rc1", "1.1", "1.0"]


def test_a_plugin_is_taken_with_the_libraries_it_lacks_and_can_be_planned(
    call: Call, shelf: str, trusted: Maker
) -> None:
    folder = Path(shelf)
    needs = ["deep_one>=1,<2", "flask>=3", "nowhere>=9", "never>1; python_version < '3'"]
    trusted.put(folder, file_name("whole"), wheel("whole", libraries=needs))
    trusted.put(folder, "deep_one-1.4-py3-none-any.whl", library("deep_one", "1.4"), signed=False)
    trusted.put(folder, "deep_one-2.0-py3-none-any.whl", library("deep_one", "2.0"))
    fetched = fetch(call, shelf, "made_whole")
    assert fetched.status_code == 201, fetched.text
    came = fetched.get_json()
    assert (came["plugin"], came["version"], came["signer"]) == ("whole", "1.0", trusted.key_id)
    assert (came["libraries"], came["missing"]) == (["deep-one 1.4"], ["nowhere >=9"])
    assert call("POST", "/whole/plan", {"verb": "install"}).get_json()["code"] == "plugin.conflict"

    trusted.put(folder, file_name("whole", "1.1"), wheel("whole", "1.1", libraries=needs[:2]))
    assert fetch(call, shelf, "made_whole", "1.1").get_json()["libraries"] == []
    plan = call("POST", "/whole/plan", {"verb": "install"}).get_json()
    assert (plan["publisher"], plan["libraries"]) == ("Acme", ["deep-one 1.4"])
    assert plan["unsigned"] == ["deep_one-1.4-py3-none-any.whl"]


def test_a_package_signed_by_a_stranger_comes_as_one_without_signature(call: Call, shelf: str, maker: Maker) -> None:
    maker.put(Path(shelf), file_name("foreign"), wheel("foreign"))
    came = fetch(call, shelf, "made-foreign").get_json()
    assert (came["signer"], came["stranger"]) == (None, maker.key_id)


def test_a_package_whose_signature_is_wrong_is_not_taken(call: Call, shelf: str, trusted: Maker) -> None:
    trusted.put(Path(shelf), file_name("twisted"), wheel("twisted"))
    (Path(shelf) / file_name("twisted")).write_bytes(wheel("twisted", more="# changed"))
    answer = fetch(call, shelf, "made-twisted")
    assert (answer.status_code, "plugin.signature_wrong" in codes(answer)) == (422, True)


def test_required_plugins_that_are_not_installed_are_named(call: Call, shelf: str, maker: Maker) -> None:
    maker.put(Path(shelf), file_name("leaning"), wheel("leaning", requires=["pillar>=1"]))
    assert fetch(call, shelf, "made-leaning").get_json()["missing"] == ["pillar>=1"]


def test_nothing_comes_from_a_place_that_is_not_allowed(call: Call, shelf: str, tmp_path: Path, maker: Maker) -> None:
    maker.put(tmp_path / "other", file_name("outside"), wheel("outside"))
    for place in (str(tmp_path / "other"), "https://example.com/simple/"):
        answer = fetch(call, place, "made-outside")
        assert (answer.status_code, answer.get_json()["code"]) == (404, "plugin.no_such_source")
    assert fetch(call, shelf, "made-outside").get_json()["code"] == "plugin.not_offered"
    call("POST", "/sources/remove", {"address": shelf})
    assert fetch(call, shelf, "made-outside").get_json()["code"] == "plugin.no_such_source"


def test_a_folder_that_is_gone_says_so_and_keeps_no_other_from_answering(
    call: Call, shelf: str, tmp_path: Path, maker: Maker
) -> None:
    Path(shelf).rmdir()
    (tmp_path / "second").mkdir()
    maker.put(tmp_path / "second", file_name("there"), wheel("there"))
    call("POST", "/sources", {"address": str(tmp_path / "second")})
    answered = {each["source"]: each for each in call("GET", "/offers", word="there").get_json()["items"]}
    assert answered[shelf]["problem"]["code"] == "plugin.source_folder"
    assert [each["plugin"] for each in answered[str(tmp_path / "second")]["offers"]] == ["there"]


@pytest.mark.parametrize(
    "address",
    ["wheels", "/no/such/folder", "ftp://example.com/", "https://user:secret@example.com/", "https://", "http://[::1", "https://a/?b=c"],
)
def test_what_is_no_place_for_plugins_is_refused(call: Call, address: str) -> None:
    answer = call("POST", "/sources", {"address": address})
    assert (answer.status_code, bool(codes(answer) & {"plugin.source_address", "plugin.source_no_folder"})) == (422, True)
