"""A wheel that is not what it should be is refused before anything of it is kept."""

import pytest

from core.host import packages
from core.kernel import Invalid
from tests.host.life.wheels import file_name, library, wheel


def test_a_sound_wheel_says_what_it_is() -> None:
    found = packages.read(wheel("sound", "2.1", libraries=["scales>=1"]), file_name("sound", "2.1"))

    assert (found.plugin, str(found.version), found.requires) == ("sound", "2.1", ("scales>=1",))


def test_a_wheel_without_entry_point_is_a_library() -> None:
    assert packages.read(library("scales", "1.0"), "scales-1.0-py3-none-any.whl").plugin is None


@pytest.mark.parametrize(
    ("content", "filename", "code"),
    [
        (wheel("bad", files={"../outside.py": ""}), file_name("bad"), "plugin.wheel_unsafe"),
        (wheel("bad", files={"/etc/outside.py": ""}), file_name("bad"), "plugin.wheel_unsafe"),
        (wheel("bad", links=["made_bad/link"]), file_name("bad"), "plugin.wheel_unsafe"),
        (wheel("bad", points=["worse"]), file_name("bad"), "plugin.wheel_two_plugins"),
        (wheel("bad", inside="other"), file_name("bad"), "plugin.manifest_wrong"),
        (wheel("bad"), file_name("good"), "plugin.wheel_disagrees"),
        (wheel("bad"), file_name("bad", "1.1"), "plugin.wheel_disagrees"),
        (wheel("bad"), "bad.zip", "plugin.wheel_name"),
        (b"no zip at all", file_name("bad"), "plugin.wheel_unreadable"),
        (wheel("bad"), file_name("bad", tag="cp27-cp27m-win32"), "plugin.wheel_other_machine"),
    ],
)
def test_a_wheel_that_is_not_right_is_refused_with_the_reason(content: bytes, filename: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        packages.read(content, filename)

    assert [each.code for each in refused.value.errors] == [code]
