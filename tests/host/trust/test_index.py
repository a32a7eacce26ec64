"""An index on a socket as a source, in JSON and in HTML, and everything an index can do wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.host.trust import errand, fetching, sources
from tests.host.life.wheels import file_name, library, wheel
from tests.host.trust.conftest import Call, codes
from tests.host.trust.index_server import IndexServer, plain_server
from tests.host.trust.publisher import Maker

pytestmark = pytest.mark.slow

Take = Callable[..., Any]


@pytest.fixture
def take(call: Call, index: IndexServer) -> Take:
    """Fetch from the index, which is allowed."""
    answer = call("POST", "/sources", {"address": index.address.rstrip("/")})
    assert answer.status_code == 201, answer.text

    def fetch(distribution: str, version: str | None = None) -> Any:
        sent = {"source": index.address, "distribution": distribution, "version": version}
        return call("POST", "/offers/fetch", sent)

    return fetch


def offer(index: IndexServer, maker: Maker, name: str, version: str = "1.0", **made: Any) -> str:
    filename, content = file_name(name, version), wheel(name, version, **made)
    index.files[filename] = content
    index.files[f"{filename}.minisig"] = maker.signature(filename, content).encode()
    return filename


@pytest.mark.parametrize("html", [False, True], ids=["json", "html"])
def test_a_plugin_comes_from_an_index_with_its_library_and_signature(
    call: Call, take: Take, index: IndexServer, trusted: Maker, html: bool
) -> None:
    index.html, name = html, f"afar{html:d}"
    offer(index, trusted, name, "1.0", libraries=[f"far_lib{html:d}==1.*"])
    offer(index, trusted, name, "0.9")
    index.files[f"far_lib{html:d}-1.2-py3-none-any.whl"] = library(f"far_lib{html:d}", "1.2")
    (listing,) = call("GET", "/offers", source=index.address, word="made_afar").get_json()["items"]
    assert [each["distribution"] for each in listing["offers"]] == [f"made-{name}"]
    told = call("GET", "/offers/versions", source=index.address, distribution=f"made-{name}").get_json()
    assert [each["version"] for each in told["versions"]] == ["1.0", "0.9"]
    came = take(f"made-{name}")
    assert came.status_code == 201, came.text
    fetched = came.get_json()
    assert (fetched["plugin"], fetched["signer"]) == (name, trusted.key_id)
    assert (fetched["libraries"], fetched["missing"]) == ([f"far-lib{html:d} 1.2"], [])
    kept = [each for each in call("GET", "/installed").get_json()["packages"] if each["plugin"] == name]
    assert [each["source"] for each in kept] == [index.address]
    plan = call("POST", f"/{name}/plan", {"verb": "install"}).get_json()
    assert (plan["publisher"], plan["libraries"]) == ("Acme", [f"far-lib{html:d} 1.2"])


def test_what_a_version_needs_is_read_from_the_metadata_without_the_wheel(
    call: Call, take: Take, index: IndexServer, maker: Maker
) -> None:
    name = offer(index, maker, "told")
    index.files[f"{name}.metadata"] = b"Metadata-Version: 2.1\nName: made_told\nVersion: 1.0\nRequires-Dist: six>1\n"
    said = call("GET", "/offers/versions", source=index.address, distribution="made-told").get_json()
    assert said["requires"] == ["six>1"]
    assert f"/files/{name}" not in index.asked


def test_an_index_without_a_hash_is_believed_only_with_a_trusted_signature(
    take: Take, index: IndexServer, maker: Maker, trusted: Maker
) -> None:
    index.wrong = "no hash"
    name = offer(index, trusted, "unhashed")
    assert take("made-unhashed").status_code == 201
    index.files[name] = wheel("unhashed", more="# another")
    del index.files[f"{name}.minisig"]
    assert take("made-unhashed").get_json()["code"] == "plugin.offer_unhashed"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("hash", "plugin.offer_hash_wrong"),
        ("endless", "plugin.source_too_large"),
        ("500", "plugin.source_status"),
        ("hang", "plugin.source_slow"),
        ("elsewhere", "plugin.source_blocked"),
        ("circle", "plugin.source_circles"),
        ("nonsense", "plugin.source_no_index"),
    ],
)
def test_a_misbehaving_index_is_refused_in_words_and_leaves_nothing(
    call: Call, take: Take, index: IndexServer, maker: Maker, monkeypatch: pytest.MonkeyPatch, wrong: str, code: str
) -> None:
    monkeypatch.setattr(sources, "LIMITS", errand.Limits(answer=1.0, errand=3.0))
    monkeypatch.setattr(fetching, "MOST_BYTES", 3_000_000)
    index.wrong = wrong
    offer(index, maker, "odd")
    answer = take("made-odd")
    assert (answer.status_code, answer.get_json()["code"]) == (409, code), answer.text
    assert answer.get_json()["detail"] != code
    kept = call("GET", "/installed").get_json()["packages"]
    assert "odd" not in {each["plugin"] for each in kept}
    if wrong not in ("hash", "endless"):
        (listing,) = call("GET", "/offers", source=index.address).get_json()["items"]
        assert listing["problem"]["code"] == code


def test_sources_that_hang_share_the_time_of_one_search(
    call: Call, take: Take, index: IndexServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("POST", "/sources", {"address": index.address.replace("127.0.0.1", "localhost")})
    monkeypatch.setattr(sources, "LIMITS", errand.Limits(answer=0.6, errand=0.6))
    index.wrong = "hang"
    listings = call("GET", "/offers").get_json()["items"]
    mine = [each for each in listings if each["source"].endswith(f":{index.server_address[1]}/simple/")]
    assert [each["problem"]["code"] for each in mine] == ["plugin.source_slow"] * 2
    assert len(index.asked) == 1


def test_a_redirect_within_the_index_is_followed(take: Take, index: IndexServer, maker: Maker) -> None:
    index.wrong = "moved"
    offer(index, maker, "moved")
    assert take("made-moved").status_code == 201


@pytest.mark.parametrize("elsewhere", ["http://localhost:9/x", "file:///etc/passwd", "http://169.254.169.254/", "gopher://x"])
def test_an_index_leads_nowhere_into_the_house(take: Take, index: IndexServer, elsewhere: str) -> None:
    index.wrong, index.elsewhere = "elsewhere", elsewhere
    assert take("made-odd").get_json()["code"] in ("plugin.source_blocked", "plugin.source_leads_away")


def test_a_library_that_fails_keeps_the_plugin_out_too(
    call: Call, take: Take, index: IndexServer, trusted: Maker
) -> None:
    offer(index, trusted, "half", libraries=["spoilt>=1"])
    index.files["spoilt-1.0-py3-none-any.whl"] = b"no zip"
    assert "plugin.wheel_unreadable" in codes(take("made-half"))
    assert "half" not in {each["plugin"] for each in call("GET", "/installed").get_json()["packages"]}


def test_a_wheel_that_is_another_one_inside_is_refused(take: Take, index: IndexServer, maker: Maker) -> None:
    index.files[file_name("mask")] = wheel("face")
    assert "plugin.wheel_disagrees" in codes(take("made-mask"))


def test_a_folder_that_a_plain_web_server_lists_is_an_index_too(call: Call, trusted: Maker, tmp_path: Path) -> None:
    trusted.put(tmp_path, file_name("plain"), wheel("plain"))
    with plain_server(tmp_path) as address:
        call("POST", "/sources", {"address": address})
        (listing,) = call("GET", "/offers", source=address).get_json()["items"]
        assert [each["distribution"] for each in listing["offers"]] == ["made-plain"]
        came = call("POST", "/offers/fetch", {"source": address, "distribution": "made-plain"})
    assert (came.status_code, came.get_json()["signer"]) == (201, trusted.key_id)


def test_the_name_of_a_private_address_is_no_permission_but_its_number_is() -> None:
    assert [str(each) for each in errand.own_rules("http://10.1.2.3:8080/simple/")] == ["10.1.2.3/32:8080"]
    assert len(errand.own_rules("http://localhost:8080/simple/")) == 2
    for address in ("http://pypi.plant.example/simple/", "https://93.184.216.34/", "http://169.254.169.254/"):
        assert errand.own_rules(address) == []


