"""Terraform and its provider are found the way each machine offers them."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.errors import EngineError
from orchestrator.model.version_constraint import Constraint
from orchestrator.terraform import binary, embedded
from orchestrator.terraform.client import Terraform

TARGET = f"{platform.system().lower()}_{binary._ARCHITECTURES[platform.machine()]}"


@pytest.fixture
def program(tmp_path):
    """Puts a program on a PATH of its own that prints ``text``."""

    def make(text: str, *, name: str = "terraform") -> dict[str, str]:
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\n")
        path.chmod(0o755)
        return {"PATH": f"{path.parent}:/usr/bin:/bin"}

    return make


def test_terraform_is_found_on_path_with_its_version(program):
    found = binary.find(None, program('{"terraform_version": "1.12.3"}'))
    assert (found.product, found.version) == ("terraform", (1, 12, 3))


def test_tofu_is_taken_where_there_is_no_terraform(program):
    environ = program('{"terraform_version": "1.10.0-beta1"}', name="tofu")
    found = binary.find(None, environ)
    assert (found.product, found.version_text) == ("tofu", "1.10.0")


def test_a_warning_before_the_version_is_ignored(program):
    text = 'Warning: Unable to open CLI configuration file\n{"terraform_version": "1.9.8"}'
    assert binary.find(None, program(text)).version == (1, 9, 8)


def test_an_old_terraform_is_refused(program):
    with pytest.raises(EngineError, match=r"1\.5\.7 is too old") as caught:
        binary.find(None, program('{"terraform_version": "1.5.7"}'))
    assert "1.9.0 or newer" in caught.value.hint


def test_a_program_that_is_no_terraform_is_refused(program):
    with pytest.raises(EngineError, match="does not answer"):
        binary.find(None, program("hello"))


def test_without_a_program_the_embedded_engine_answers(tmp_path):
    found = binary.find(None, {"PATH": str(tmp_path)})
    assert found.command == (sys.executable, embedded.__file__)
    assert found.version >= binary.MINIMUM
    assert binary.find("embedded", {"PATH": str(tmp_path)}) == found


def test_no_terraform_at_all_names_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded, "command", lambda: None)
    with pytest.raises(EngineError, match="on PATH") as caught:
        binary.find(None, {"PATH": str(tmp_path)})
    assert "--tf-path" in caught.value.hint


def test_the_callers_terraform_settings_do_not_leak_in(tmp_path):
    leaks = {
        "TF_LOG": "TRACE",
        "TF_LOG_PATH": "x",
        "TF_CLI_ARGS": "-destroy",
        "TF_CLI_ARGS_plan": "-destroy",
        "TF_VAR_account_id": "999999999999",
        "TF_WORKSPACE": "other",
        "TF_DATA_DIR": "x",
        "TF_REATTACH_PROVIDERS": "{}",
        "ALPHAUS_CLIENT_SECRET": "planted",
    }
    kept = {"AWS_PROFILE": "payer", "TF_PLUGIN_CACHE_DIR": "x", "HTTPS_PROXY": "http://proxy"}
    clean = binary.clean_environment({**leaks, **kept})
    assert leaks.keys() & clean.keys() == set()
    assert kept.items() <= clean.items()
    assert clean["TF_IN_AUTOMATION"] == "1"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("absent", "is not a folder"), ("file", "is not a folder"), ("l" * 90, "has too long a path")],
)
def test_a_tmpdir_that_terraform_cannot_use_is_left_out(tmp_path, name, reason):
    (tmp_path / "file").touch()
    (tmp_path / ("l" * 90)).mkdir()
    environ = {"TMPDIR": str(tmp_path / name)}
    assert reason in binary.unusable_tmpdir(environ)
    assert "TMPDIR" not in binary.clean_environment(environ)
    said: list[str] = []
    found = binary.Binary(("terraform",), "terraform", (1, 11, 4))
    Terraform(found, tmp_path, environ=environ, on_interrupt=said.append)
    assert reason in said[0]


def test_a_tmpdir_that_can_be_used_is_kept():
    environ = {"TMPDIR": "/tmp"}
    assert binary.clean_environment(environ)["TMPDIR"] == "/tmp"


def test_the_callers_own_setting_of_gos_collector_wins():
    assert binary.clean_environment({})["GOGC"] == "400"
    assert binary.clean_environment({"GOGC": "50"})["GOGC"] == "50"


def test_a_cli_configuration_that_does_not_exist_is_dropped(tmp_path):
    real = tmp_path / "terraformrc"
    real.write_text("")
    assert "TF_CLI_CONFIG_FILE" not in binary.clean_environment(
        {"TF_CLI_CONFIG_FILE": str(tmp_path / "none")}
    )
    assert binary.clean_environment({"TF_CLI_CONFIG_FILE": str(real)})["TF_CLI_CONFIG_FILE"]


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with no provider anywhere; ``place`` puts one under a folder."""

    class Machine:
        terraform = binary.Binary(("/bin/terraform",), "terraform", (1, 11, 4))
        opt = tmp_path / "opt"
        implied = tmp_path / "implied"

        def place(
            self,
            folder: Path,
            version: str = "5.100.0",
            *,
            packed: bool = False,
            registry: str = "registry.terraform.io",
        ) -> Path:
            provider = folder / registry / "hashicorp/aws"
            if packed:
                provider.mkdir(parents=True)
                (provider / f"terraform-provider-aws_{version}_{TARGET}.zip").touch()
            else:
                (provider / version / TARGET).mkdir(parents=True)
            return folder

        def mirror(self, wanted: str = "5.100.0", **environ: str) -> Path | None:
            return binary.provider_mirror(self.terraform, environ, Constraint.parse(wanted))

    monkeypatch.setattr(binary, "_SYSTEM_FOLDERS", (str(Machine.opt),))
    monkeypatch.setattr(binary, "_IMPLIED", (str(Machine.implied),))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return Machine()


def test_with_no_mirror_the_registry_is_left_to_terraform(machine):
    assert machine.mirror() is None


@pytest.mark.parametrize("packed", [True, False])
def test_a_mirror_in_a_system_folder_is_found(machine, packed):
    placed = machine.place(machine.opt / "some" / "plugins", packed=packed)
    assert machine.mirror() == placed


def test_a_mirror_with_a_version_out_of_range_is_passed_over(machine):
    machine.place(machine.opt / "plugins", "4.67.0")
    assert machine.mirror() is None


def test_a_mirror_counts_where_it_holds_the_version_that_is_asked_for(machine):
    machine.place(machine.opt / "plugins", "6.3.0")
    assert machine.mirror("5.100.0") is None
    assert machine.mirror("~> 6.0") == machine.opt / "plugins"


def test_a_named_mirror_with_another_version_is_an_error_that_says_which(machine, tmp_path):
    named = machine.place(machine.place(tmp_path / "named", "6.3.0"), "6.10.0")
    with pytest.raises(EngineError, match=r"holds no hashicorp/aws 5\.100\.0, only 6.3.0, 6.10.0"):
        machine.mirror(OCTO_TF_PROVIDER_MIRROR=str(named))
    assert machine.mirror("6.3.0", OCTO_TF_PROVIDER_MIRROR=str(named)) == named


def test_terraforms_own_folder_with_another_version_alone_is_an_error(machine):
    machine.place(machine.implied, "6.3.0")  # Terraform would then ask no registry
    with pytest.raises(EngineError, match=r"holds no hashicorp/aws 5\.100\.0, only 6\.3\.0"):
        machine.mirror()
    assert machine.mirror("6.3.0") is None


def test_a_mirror_in_a_system_folder_helps_out_terraforms_own_folders(machine):
    machine.place(machine.implied, "6.3.0")
    placed = machine.place(machine.opt / "plugins", "5.100.0")
    assert machine.mirror() == placed


def test_terraforms_own_folders_come_before_system_folders(machine):
    machine.place(machine.opt / "plugins")
    machine.place(machine.implied)
    assert machine.mirror() is None  # Terraform looks there by itself


def test_the_named_mirror_comes_first(machine, tmp_path):
    machine.place(machine.implied)
    named = machine.place(tmp_path / "named")
    assert machine.mirror(OCTO_TF_PROVIDER_MIRROR=str(named)) == named


def test_a_named_mirror_without_the_provider_is_an_error(machine, tmp_path):
    with pytest.raises(EngineError, match="holds no hashicorp/aws"):
        machine.mirror(OCTO_TF_PROVIDER_MIRROR=str(tmp_path))


def test_the_users_own_provider_installation_is_respected(machine, tmp_path):
    machine.place(machine.opt / "plugins")
    config = tmp_path / "terraformrc"
    config.write_text("provider_installation {\n  direct {}\n}\n")
    assert machine.mirror(TF_CLI_CONFIG_FILE=str(config)) is None
    config.write_text('plugin_cache_dir = "/tmp/cache"\n')
    assert machine.mirror(TF_CLI_CONFIG_FILE=str(config)) == machine.opt / "plugins"


TOFU = binary.Binary(("/bin/tofu",), "tofu", (1, 12, 6))
WANTED = Constraint.parse("5.100.0")


def test_a_mirror_for_the_other_registry_is_no_source_but_says_how_it_becomes_one(machine):
    placed = machine.place(machine.opt / "plugins")
    machine.terraform = TOFU
    assert machine.mirror() is None
    said = binary.other_layouts(TOFU, WANTED)
    command = re.search(r"`(mkdir .*?)`", said)[1].replace("MIRROR", str(machine.opt / "copied"))
    subprocess.run(["sh", "-c", command], check=True)
    assert str(placed) in command
    assert machine.mirror() == machine.opt / "copied"


def test_a_named_mirror_for_the_other_registry_says_so(machine, tmp_path):
    machine.place(tmp_path / "named")
    machine.terraform = TOFU
    with pytest.raises(EngineError, match="holds no hashicorp/aws") as caught:
        machine.mirror(OCTO_TF_PROVIDER_MIRROR=str(tmp_path / "named"))
    assert "is laid out for registry.terraform.io" in caught.value.hint


@pytest.mark.parametrize("version", ["5.99.0", None])
def test_a_mirror_that_would_not_help_is_not_named(machine, version):
    if version:
        machine.place(machine.opt / "plugins", version)
    assert binary.other_layouts(TOFU, WANTED) == ""


def test_terraform_gets_a_mirror_for_opentofu_too(machine):
    machine.place(machine.opt / "plugins", registry="registry.opentofu.org")
    assert "registry.opentofu.org" in binary.other_layouts(machine.terraform, WANTED)


def test_only_a_root_of_the_user_is_in_the_workspace_and_data_folder_of_the_shell():
    shell = {"TF_WORKSPACE": "prod", "TF_DATA_DIR": "data", "TF_CLI_ARGS": "-no-color"}
    assert not shell.keys() & binary.clean_environment(shell).keys()
    kept = binary.clean_environment(shell, keep=binary.STATE_SELECTION)
    assert shell.keys() & kept.keys() == {"TF_WORKSPACE", "TF_DATA_DIR"}
