"""What an installation is told from outside, and how it keeps its keys."""

import stat
from pathlib import Path

import pytest

from core.config import Config, UserError, data_folder, database_url, short_name, socket_folder


def test_keys_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    first = Config.load(tmp_path / "数 据", {})
    again = Config.load(tmp_path / "数 据", {})
    assert (first.secret_key, first.master_key) == (again.secret_key, again.master_key)
    assert len(first.secret_key) == len(first.master_key) == 32
    assert first.secret_key != first.master_key
    assert stat.S_IMODE((tmp_path / "数 据" / "keys").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "数 据").stat().st_mode) == 0o700


def test_no_secret_shows_when_a_config_is_printed(tmp_path: Path) -> None:
    config = Config.load(tmp_path, {"DATABASE_URL": "postgresql://ts_app:hidden@db/tongshang"})
    shown = repr(config)
    assert "hidden" not in shown
    assert config.secret_key.hex() not in shown and repr(config.master_key) not in shown


def test_lost_keys_are_not_replaced_by_new_ones(tmp_path: Path) -> None:
    Config.load(tmp_path, {})
    (tmp_path / "keys").unlink()
    with pytest.raises(UserError, match="gone"):
        Config.load(tmp_path, {})


@pytest.mark.parametrize("content", ["", "{}", "not json", '{"secret_key": "00", "master_key": "00"}'])
def test_a_damaged_file_of_keys_is_refused(tmp_path: Path, content: str) -> None:
    Config.load(tmp_path, {})
    (tmp_path / "keys").write_text(content)
    with pytest.raises(UserError) as refused:
        Config.load(tmp_path, {})
    assert "backup" in refused.value.do


def test_data_of_another_version_is_refused(tmp_path: Path) -> None:
    Config.load(tmp_path, {})
    (tmp_path / "version").write_text("99\n")
    with pytest.raises(UserError, match="version 99"):
        Config.load(tmp_path, {})


def test_a_data_folder_that_is_a_file_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError) as refused:
        Config.load(tmp_path / "file" / "data", {})
    assert "--data" in refused.value.do


def test_without_an_address_the_database_is_the_embedded_one(tmp_path: Path) -> None:
    config = Config.load(tmp_path, {})
    assert config.embedded
    assert config.app_url == f"postgresql+psycopg://ts_app@/tongshang?host={socket_folder(tmp_path)}"
    assert config.url("worker").startswith("postgresql+psycopg://ts_worker@")


def test_outside_each_role_needs_its_own_address(tmp_path: Path) -> None:
    config = Config.load(tmp_path, {"DATABASE_URL": "postgres://ts_app:x@db:5432/tongshang"})
    assert not config.embedded
    assert config.url("app") == "postgresql+psycopg://ts_app:x@db:5432/tongshang"
    with pytest.raises(UserError, match="worker") as refused:
        config.url("worker")
    assert refused.value.where == "WORKER_DATABASE_URL"


@pytest.mark.parametrize("address", ["mysql://a@b/c", "tongshang", "", "sqlite:///x"])
def test_an_address_of_another_kind_of_database_is_refused(address: str) -> None:
    with pytest.raises(UserError, match="no|not"):
        database_url(address, "DATABASE_URL")


def test_a_number_that_is_none_is_named_with_its_variable(tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        Config.load(tmp_path, {"TS_PORT": "eighty"})
    assert refused.value.where == "TS_PORT"


def test_the_data_folder_is_the_argument_before_the_environment(tmp_path: Path) -> None:
    assert data_folder(tmp_path / "a", {"TS_DATA": str(tmp_path / "b")}) == tmp_path / "a"
    assert data_folder(None, {"TS_DATA": str(tmp_path / "b")}) == tmp_path / "b"
    assert data_folder(None, {}).name == ".data"


def test_two_folders_never_share_a_name_and_one_keeps_its_own(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "there").symlink_to(tmp_path / "here")
    assert short_name(tmp_path / "here") == short_name(tmp_path / "there")
    assert short_name(tmp_path / "here") != short_name(tmp_path / "elsewhere")


def test_a_process_may_grow_to_a_gigabyte_unless_it_is_told_otherwise(tmp_path: Path) -> None:
    for said, megabytes in (({}, 1024), ({"TS_MEMORY_LIMIT": "300"}, 300), ({"TS_MEMORY_LIMIT": "0"}, 0)):
        assert Config.load(tmp_path, said).memory_limit == megabytes
