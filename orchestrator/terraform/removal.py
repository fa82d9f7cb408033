"""How the resources of an account are removed from AWS; octo-tf has no command for it yet."""

from __future__ import annotations

import shlex
from pathlib import Path

from orchestrator.model.registration import Registration

_REPORT = "module.octo.aws_cur_report_definition.cur[0]"
_BUCKET = "module.octo.aws_s3_bucket.cur[0]"
_MERGED_POLICY = "module.octo.aws_s3_bucket_policy.merged[0]"


def instructions(
    registration: Registration, account_type: str, folder: Path, *, program: str = "terraform"
) -> list[str]:
    """List the commands that remove what Terraform made, and what they leave; lines of text.

    ``octo-tf plan --allow-destroy`` renders the root without ``prevent_destroy`` on what it names
    (decision 0005); Terraform itself then destroys it.

    Args:
        registration: the account's.
        account_type: as Octo or the ledger has it; empty where neither knows it.
        folder: the account's root folder.
        program: Terraform or OpenTofu.
    """
    creates_bucket = registration.cur_s3_bucket_option != "USE_EXISTING"
    in_folder = f"  {shlex.quote(program)} -chdir={shlex.quote(str(folder))}"
    protected: list[str] = []
    if account_type != "linked":
        protected = [_REPORT, _BUCKET] if creates_bucket else [_REPORT]
    lines = ["  " + " ".join(["octo-tf plan", *(f"--allow-destroy '{a}'" for a in protected)])]
    if protected and not creates_bucket and registration.cur_s3_bucket_merge_policy:
        lines.append(f"{in_folder} state rm '{_MERGED_POLICY}'")
    lines.append(f"{in_folder} destroy")
    if protected and creates_bucket:
        lines.append("Terraform keeps a bucket that is not empty: empty it, then destroy again.")
    if registration.use_stackset and registration.stackset_retain_stacks is not False:
        lines.append(
            "Linked accounts keep the role, unless stackset_retain_stacks: false was applied."
        )
    return lines
