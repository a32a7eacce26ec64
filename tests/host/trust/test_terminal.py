"""Keys, signatures, publishers and sources from the terminal."""

from pathlib import Path

import pytest

from core.host.trust.minisign import PublicKey
from tests.cli.test_command_line import tongshang
from tests.cli.test_plugin import Ask, ask, written
from tests.host.life.wheels import file_name, wheel

__all__ = ["ask"]
pytestmark = pytest.mark.slow
WORDS = {"TS_KEY_PASSPHRASE": "seven horses"}


@pytest.fixture(scope="module")
def key(ask: Ask, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "acme.key"
    made = ask("keygen", str(path), **WORDS)
    assert PublicKey.parse(path.with_name("acme.key.pub").read_text()).line == made["public_key"]
    return path


def test_a_wheel_is_signed_trusted_and_installed_with_its_publisher(ask: Ask, key: Path, tmp_path: Path) -> None:
    path = written(tmp_path, name="terminal")
    signed = ask("sign", path, "--key", str(key), "--publisher", "Acme", **WORDS)
    assert Path(signed["signature"]).name == f"{Path(path).name}.minisig"
    assert "which nobody here trusts" in ask("install", path, "--yes")
    known = ask("trust", "Acme", f"{key}.pub", "--tier", "official", "--open-to-enterprises")
    assert (known["key_id"], known["tier"], known["open_to_enterprises"]) == (signed["key_id"], "official", True)
    assert ask("plan", path)["publisher"] == "Acme"
    assert ask("install", path, "--yes")["state"] == "done"

    gone = ask("distrust", signed["key_id"], "--yes")
    assert gone["installed"] == ["terminal"]
    doctor = ask("doctor")
    assert (doctor["ok"], doctor["revoked"]) == (False, {"terminal": "Acme"})
    assert ask("publishers")["publishers"][0]["revoked_at"] is not None
    assert "trusted no longer" in ask("install", path, "--yes")


@pytest.mark.long
def test_a_plugin_comes_from_a_folder(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / file_name("orchard")).write_bytes(wheel("orchard"))
    assert "No source offers this" in ask("fetch", "orchard")
    assert ask("source-add", str(tmp_path))["kind"] == "folder"
    offers = ask("search", "orch")["offers"]
    assert [(each["plugin"], each["version"]) for each in offers] == [("orchard", "1.0")]
    assert ask("fetch", "orchard")["plugin"] == "orchard"
    assert ask("plan", "orchard")["unsigned"] == [file_name("orchard")]
    assert [each["address"] for each in ask("sources")["sources"]] == [str(tmp_path)]
    assert ask("source-remove", str(tmp_path))["removed"]
    assert ask("sources")["sources"] == []


def test_keys_are_not_overwritten_and_ask_for_their_passphrase(key: Path, tmp_path: Path) -> None:
    before = key.read_bytes()
    again = tongshang("plugin", "keygen", str(key), data=tmp_path, **WORDS)
    assert again.returncode and "never overwritten" in again.stderr
    assert key.read_bytes() == before
    path = written(tmp_path, name="closed")
    wrong = tongshang("plugin", "sign", path, "--key", str(key), data=tmp_path, TS_KEY_PASSPHRASE="mules")
    assert wrong.returncode and "does not open the key" in wrong.stderr
    assert not Path(f"{path}.minisig").exists()
