"""Settings of an octo.yaml are set or removed in place, and every other byte stays."""

from __future__ import annotations

import pytest

from orchestrator.config.edit import changes, set_values
from orchestrator.errors import ConfigError


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("use_stackset: false\n", "use_stackset: true\n"),
        ("use_stackset:   false   # why\n", "use_stackset:   true   # why\n"),
        ("a: 1\n", "a: 1\nuse_stackset: true\n"),
        ("a: 1", "a: 1\nuse_stackset: true\n"),
        ("", "use_stackset: true\n"),
        ("use_stackset:\nb: 1\n", "use_stackset: true\nb: 1\n"),
        ("a: 1\r\nuse_stackset: False\r\nb: 2\r\n", "a: 1\r\nuse_stackset: true\r\nb: 2\r\n"),
        ("'use_stackset' : false\n", "'use_stackset' : true\n"),
        ("{a: 1, use_stackset: false}\n", "{a: 1, use_stackset: true}\n"),
        ("{a: 1}\n", None),
        ("a: 1\n...\n", None),
        ("a: &no false\nuse_stackset: *no\n", None),
        ("use_stackset: >-\n  false\n# next\nb: 1\n", None),
    ],
)
def test_the_setting_alone_changes(tmp_path, before, after):
    path = tmp_path / "octo.yaml"
    path.write_bytes(before.encode())
    path.chmod(0o640)
    if after is None:
        with pytest.raises(ConfigError, match="cannot be set here") as caught:
            set_values(path, {"use_stackset": True})
        assert "use_stackset: true" in caught.value.hint
        assert path.read_bytes() == before.encode()
        return
    assert changes(path, {"use_stackset": True}) == {"use_stackset": True}
    set_values(path, {"use_stackset": True})
    assert path.read_bytes() == after.encode()
    assert path.stat().st_mode & 0o777 == 0o640
    assert changes(path, {"use_stackset": True}) == {}


@pytest.mark.parametrize(
    ("before", "settings", "after"),
    [
        (
            "x:\n  - '1'  # one\n  - '2'  # two\n# next\ny: 1\n",
            {"x": ["2", "3"]},
            "x:\n  - '2'  # two\n  - \"3\"\n# next\ny: 1\n",
        ),
        ("x:\n- '1'  # one\n- '2'", {"x": ["1", "2", "3"]}, "x:\n- '1'  # one\n- '2'\n- \"3\"\n"),
        ("x: ['1']  # k\ny: 1\n", {"x": ["2"]}, 'x: ["2"]  # k\ny: 1\n'),
        ("x:\n  - a\n# next\ny: 1\n", {"x": []}, "x: []\n# next\ny: 1\n"),
        (
            "tags:\n  a: b\n# next\ny: 1\n",
            {"tags": {"e": "f"}},
            'tags: {"e": "f"}\n# next\ny: 1\n',
        ),
        (
            "credentials:\n  profile: a  # mine\n# next\ny: 1\n",
            {"credentials.profile": "b", "credentials.assume_role.role_arn": "arn"},
            'credentials:\n  profile: "b"  # mine\n  assume_role: {"role_arn": "arn"}\n'
            "# next\ny: 1\n",
        ),
        ("a: 1\nx: old  # gone\ny: 1\n", {"x": None, "z": "é"}, 'a: 1\ny: 1\nz: "é"\n'),
        ("a: 1\n", {"x": None}, "a: 1\n"),
    ],
    ids=["list", "list-at-the-end", "flow", "empty", "mapping", "nested", "removed", "absent"],
)
def test_comments_of_what_stays_are_kept(tmp_path, before, settings, after):
    path = tmp_path / "octo.yaml"
    path.write_text(before)
    set_values(path, settings)
    assert path.read_text() == after


def test_a_symbolic_link_stays_one(tmp_path):
    real = tmp_path / "real.yaml"
    real.write_text("a: 1\n")
    link = tmp_path / "octo.yaml"
    link.symlink_to(real)
    set_values(link, {"b": 2})
    assert link.is_symlink()
    assert real.read_text() == "a: 1\nb: 2\n"


def test_a_file_that_is_no_yaml_is_left_alone(tmp_path):
    path = tmp_path / "octo.yaml"
    path.write_text("a: [")
    with pytest.raises(ConfigError):
        set_values(path, {"use_stackset": True})
    assert path.read_text() == "a: ["
