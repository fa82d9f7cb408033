"""After an adoption, users read what is left to do in their own Terraform folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.adoption.candidate import Candidate
from orchestrator.adoption.foreign_module import ForeignModule
from orchestrator.adoption.foreign_state import ForeignState
from orchestrator.cli.commands.adopt import _show_remaining_steps

BLOCK = ForeignModule(Path("their"), "module.finops.module.octo", "wrapper.tf:3", {})
HELD = ForeignState(("module.finops.module.octo.aws_iam_role.r",))


def shown(capsys, module: ForeignModule, state: ForeignState, *, now: bool, ever: bool) -> str:
    candidate = Candidate({}, None, None, module, state, None)  # type: ignore[arg-type]
    _show_remaining_steps(candidate, released=now, ever_released=ever)
    return " ".join(capsys.readouterr().err.split())


def test_a_block_whose_resources_were_released_is_to_be_removed(capsys):
    text = shown(capsys, BLOCK, HELD, now=True, ever=True)
    assert "Now remove the block module.finops.module.octo (wrapper.tf:3)" in text
    assert "state rm" not in text


def test_of_a_block_for_several_accounts_only_this_account_is_to_be_removed(capsys):
    text = shown(capsys, replace(BLOCK, is_repeated=True), HELD, now=True, ever=True)
    assert "Now remove this account from the for_each or count that leads to module.finops" in text
    assert "the block" not in text


def test_a_block_that_an_earlier_run_released_is_still_to_be_removed(capsys):
    assert "Now remove" in shown(capsys, BLOCK, ForeignState(), now=False, ever=True)


def test_a_block_that_the_state_never_had_is_to_be_kept(capsys):
    text = shown(capsys, BLOCK, ForeignState(), now=False, ever=False)
    assert "Keep the block module.finops.module.octo (wrapper.tf:3)" in text
    assert "Now remove" not in text


@pytest.mark.parametrize("state", [HELD, ForeignState(is_read=False)])
def test_a_state_that_is_kept_is_to_be_changed_by_the_user(capsys, state):
    text = shown(capsys, BLOCK, state, now=False, ever=False)
    assert "terraform state rm module.finops.module.octo" in text
    assert "Now remove" in text


def test_files_without_the_block_need_nothing(capsys):
    gone = ForeignModule(Path("their"), "", "", {})
    assert shown(capsys, gone, ForeignState(), now=False, ever=True) == ""
