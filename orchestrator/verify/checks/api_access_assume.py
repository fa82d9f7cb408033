"""api_access.assume: Octo can assume the role with the external id, and not without it."""

from dataclasses import replace

from orchestrator.aws.sts import probe_role
from orchestrator.verify.model import Check, Context, Finding, failed, passed, skipped
from orchestrator.verify.roles import RESTORE, access_evidence


def _run(context: Context) -> Finding:
    expected = context.expected.api_access
    if context.principal is None:
        return skipped(
            "Not tried: only Octo's own account can assume the role.",
            "Octo assumes the role when you confirm the account in Octo.",
        )
    access = probe_role(
        context.principal, expected.role_arn, context.external_id, context.acceptance.retired
    )
    evidence = access_evidence(access)
    if access.missing or access.wrong:
        how = "without an external id" if access.missing else "with a wrong external id"
        return failed(f"{expected.role_name} can be assumed {how}.", RESTORE, **evidence)
    if not access.right:
        return failed(
            f"Octo's account cannot assume {expected.role_name} with the external id.",
            replace(
                RESTORE,
                otherwise="If the check still fails, compare the external id with Octo's.",
            ),
            **evidence,
        )
    return passed(
        f"{expected.role_name} accepts the external id, and neither none nor a wrong one.",
        **evidence,
    )


CHECK = Check(
    id="api_access.assume",
    promise="Octo can assume the role with the external id, and not without it.",
    permissions=("sts:AssumeRole",),
    run=_run,
)
