"""Which settings octo.yaml asks for otherwise than they were applied last."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from orchestrator.app.steps import Prepared, unapplied_settings
from orchestrator.model.module_contract.outputs import APPLIED_INPUTS


def prepared(**inputs: Any) -> Prepared:
    meant = {"applied": sorted(inputs)}
    return cast("Prepared", SimpleNamespace(root=SimpleNamespace(values=inputs, meant=meant)))


def test_a_setting_that_was_changed_is_named():
    applied = {APPLIED_INPUTS: {"cur_report_name": "old"}}
    assert unapplied_settings(prepared(cur_report_name="new"), applied) == ("cur_report_name",)


def test_a_setting_that_octo_yaml_no_longer_names_is_named():
    applied = {APPLIED_INPUTS: {"cur_report_name": "old"}}
    assert unapplied_settings(prepared(), applied) == ("cur_report_name",)


def test_no_question_is_asked_about_what_aws_has():
    """The first apply gives the bucket a policy; a verification right after it finds one."""
    applied = {APPLIED_INPUTS: {"cur_s3_bucket_has_policy": False}}
    assert unapplied_settings(prepared(), applied) == ()
