"""One switch of an octo.yaml is set, and every other byte stays."""

from __future__ import annotations

import pytest

from orchestrator.config.edit import add, switch, would_switch
from orchestrator.errors import ConfigError


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("use_stackset: false\n", "use_stackset: true\n"),
        ("use_stackset:   false   # why\n", "use_stackset:   true   # why\n"),
        ("# a\nuse_stackset: no\nb: 1\n", None),  # a text to YAML 1.2, and to octo-tf
        ("a: 1\n", "a: 1\nuse_stackset: true\n"),
        ("a: 1", "a: 1\nuse_stackset: true\n"),
        ("a: 1\r\nuse_stackset: False\r\nb: 2\r\n", "a: 1\r\nuse_stackset: true\r\nb: 2\r\n"),
        ("'use_stackset' : false\n", "'use_stackset' : true\n"),
        ("{a: 1, use_stackset: false}\n", "{a: 1, use_stackset: true}\n"),
        ("use_stackset: !!bool false\n", None),
        ("{a: 1}\n", None),
        ("a: 1\n...\n", None),
    ],
)
def test_the_switch_alone_changes(tmp_path, before, after):
    path = tmp_path / "octo.yaml"
    path.write_bytes(before.encode())
    path.chmod(0o640)
    if after is None:
        with pytest.raises(ConfigError, match="cannot be set here"):
            switch(path, "use_stackset", True)
        assert path.read_bytes() == before.encode()
        return
    assert would_switch(path, "use_stackset", True)
    switch(path, "use_stackset", True)
    assert path.read_bytes() == after.encode()
    assert path.stat().st_mode & 0o777 == 0o640
    assert not would_switch(path, "use_stackset", True)


def test_a_file_that_is_no_yaml_is_left_alone(tmp_path):
    path = tmp_path / "octo.yaml"
    path.write_text("a: [")
    with pytest.raises(ConfigError):
        switch(path, "use_stackset", True)


def test_settings_are_added_at_the_end_and_the_rest_stays(tmp_path):
    path = tmp_path / "octo.yaml"
    path.write_text("# mine\naccount_id: '111122223333'  # ours")
    add(path, {"cur_s3_bucket_option": "CREATE_NEW", "cur_s3_bucket_region": "eu-west-1"})
    assert path.read_text() == (
        "# mine\naccount_id: '111122223333'  # ours\n"
        'cur_s3_bucket_option: "CREATE_NEW"\ncur_s3_bucket_region: "eu-west-1"\n'
    )
    before = path.read_bytes()
    add(path, {"cur_s3_bucket_option": "CREATE_NEW"})
    assert path.read_bytes() == before


def test_a_setting_that_is_there_with_another_value_is_not_overwritten(tmp_path):
    path = tmp_path / "octo.yaml"
    path.write_text("cur_s3_bucket_option: USE_EXISTING\n")
    with pytest.raises(ConfigError, match="is USE_EXISTING already, not CREATE_NEW"):
        add(path, {"cur_s3_bucket_option": "CREATE_NEW"})
