"""Signatures are minisign's own: made by its program they are valid here, and the other way round."""

import shutil
import subprocess
from pathlib import Path

import pytest

from core.host.trust.minisign import PublicKey, Signature, Unreadable, Wrong
from core.host.trust.secret import SecretKey, WrongPassphrase

# Made by the program minisign 0.11 over the four bytes `test`.
FILE = "made-1.0-py3-none-any.whl"
KEY = "RWQKEiqaKctOAindqppmrrUgS6JppVFyJfqV0gBTu1Ojt8Vzy0WFjCKp"
SIGNED = f"""untrusted comment: signature from minisign secret key
RUQKEiqaKctOAiVxT/cIGTnR1rb3AhoqsFYjpFyDv8bsLddgucJ63ooQiwIqg6DegVhqymI3Y6Nk+D1SH1DaRsH//BEoTwDsDws=
trusted comment: timestamp:1795437904\tfile:{FILE}\thashed
apJjVXEmrMD7BgGQRh5D6YaREWOwo3H7vwT+u/BqC4d1UI4d35qeKM4YLqJ25ceLqK9kW4FBUjW55L/mqfLSDQ==
"""
LEGACY = f"""untrusted comment: signature from minisign secret key
RWQKEiqaKctOAmjnizvnisNyrBsIm7LvuJ6b6RaicSA0kmkxxUWzKb4wsQOTqpjwV1+dPFqWzKFFoPi5Wx9RhKtTHwzPtHbTcQo=
trusted comment: timestamp:1795437904\tfile:{FILE}
3AUxlj3fTuysEA0DRyNnflG/hoQmEBTMfzIESLsXZlQW7AYn//2x6v/pz2ey0ZBXfPsRZJM+FE13t2R0eoTUBg==
"""
OPEN = """untrusted comment: minisign encrypted secret key
RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAChIqminLTgLPRp0atd13Fc1mqzosGjAKrew984o+\
bj+95oUz76MubSndqppmrrUgS6JppVFyJfqV0gBTu1Ojt8Vzy0WFjCKpAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
"""
CLOSED = """untrusted comment: minisign encrypted secret key
RWRTY0IyDWmfkiaG3EJQpKm3JRvlukM2PWnyB4lbEvHzfld6FIsAAAACAAAAAAAAAEAAAAAApT+up56dZzyarQsmmabgdFuC7m30Guze9erba6GdGYK4\
7Wsdl8uKcjZEKIs2jYm5bqBY3q++UJqnj+DDARL8xBb1tLmR08Na/fJlUAdGCrNhpl3oL72Qm5M91Y/Zrj0NAW8f98iucgg=
"""
CLOSED_KEY = "RWStGoZ67zIM9uTvmPupqW9Bg0d7SqOQx7TXb776g+PBpGLQ4vrirc/O"


@pytest.mark.parametrize("text", [SIGNED, LEGACY], ids=["prehashed", "legacy"])
def test_a_signature_of_the_program_is_valid_and_of_nothing_else(text: str) -> None:
    key, signature = PublicKey.parse(KEY), Signature.parse(text)
    signature.check(key, b"test")
    assert (signature.key_id, signature.file, signature.text) == ("024ECB299A2A120A", FILE, text)
    with pytest.raises(Wrong):
        signature.check(key, b"tesT")
    with pytest.raises(Wrong):
        Signature.parse(text.replace("file:made", "file:late")).check(key, b"test")
    with pytest.raises(Wrong):
        signature.check(SecretKey.make().public, b"test")


def test_a_key_of_another_with_the_same_name_is_not_enough() -> None:
    stranger = SecretKey(PublicKey.parse(KEY).name, bytes(32))
    with pytest.raises(Wrong):
        stranger.sign(b"test", FILE, "x").check(PublicKey.parse(KEY), b"test")


def test_a_public_key_is_read_from_its_line_and_from_its_file() -> None:
    key = PublicKey.parse(KEY)
    assert key.line == KEY
    assert PublicKey.parse(key.file) == key


@pytest.mark.parametrize(
    "text", ["", "RW", KEY[:-4], "RUQ" + KEY[3:], f"{KEY}\n{KEY}", "x" * 56, f"a\nb\n{KEY}", "RWé" + KEY[3:]]
)
def test_what_is_no_public_key_is_told_so(text: str) -> None:
    with pytest.raises(Unreadable):
        PublicKey.parse(text)


@pytest.mark.parametrize(
    "text", ["", "\n\n\n\n", SIGNED.replace("RUQ", "RUX"), SIGNED.replace("trusted comment: t", "t"), SIGNED + "x\n", "a" * 9000]
)
def test_what_is_no_signature_is_told_so(text: str) -> None:
    with pytest.raises(Unreadable):
        Signature.parse(text)


@pytest.mark.slow
def test_keys_of_the_program_are_opened(tmp_path: Path) -> None:
    (tmp_path / "open").write_text(OPEN)
    (tmp_path / "closed").write_text(CLOSED)
    assert SecretKey.read(tmp_path / "open", lambda: pytest.fail("it has no passphrase")).public.line == KEY
    assert SecretKey.read(tmp_path / "closed", lambda: "pw12").public.line == CLOSED_KEY


@pytest.mark.slow
def test_a_key_is_written_for_its_owner_alone_and_never_over_another(tmp_path: Path) -> None:
    path, key = tmp_path / "acme.key", SecretKey.make()
    key.write(path, "horses")
    assert path.stat().st_mode & 0o777 == 0o600
    assert SecretKey.read(path, lambda: "horses") == key
    with pytest.raises(WrongPassphrase):
        SecretKey.read(path, lambda: "mules")
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        SecretKey.make().write(path, "")
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", ["", "x\ny", OPEN[:80], OPEN.replace("RWQ", "RWX")])
def test_what_is_no_secret_key_is_told_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_text(text)
    with pytest.raises(Unreadable):
        SecretKey.read(tmp_path / "key", lambda: "")


def test_a_key_that_asks_for_all_the_memory_is_refused(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(CLOSED.replace("AEAAAAAApT", "AEAAAAIApT"))
    with pytest.raises(Unreadable):
        SecretKey.read(key, lambda: "pw12")


@pytest.mark.skipif(shutil.which("minisign") is None, reason="the program minisign is not installed")
def test_the_program_accepts_our_signature(tmp_path: Path) -> None:
    key = SecretKey.make()
    (tmp_path / FILE).write_bytes(b"content")
    (tmp_path / f"{FILE}.minisig").write_text(key.sign(b"content", FILE, "Acme 甲").text, encoding="utf-8")
    done = subprocess.run(
        ["minisign", "-V", "-H", "-m", str(tmp_path / FILE), "-P", key.public.line], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert f"file:{FILE}" in done.stdout
