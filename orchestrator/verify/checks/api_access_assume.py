"""api_access.assume: Octo gets in with the external id, and nobody without it."""

from orchestrator.verify.model import Area, Check, Context, Finding, Status
from orchestrator.verify.roles import APPLY, try_access


def _run(context: Context) -> Finding:
    expected = context.expected.api_access
    if context.principal is None:
        return Finding(
            Status.SKIPPED,
            "Not tried: only Octo's own account can assume the role.",
            {},
            "Octo tries it when the account is confirmed there.",
        )
    access = try_access(context.principal, expected.role_arn, context.external_id)
    evidence = {
        "right_external_id": "allowed" if access.right else "denied",
        "missing_external_id": "allowed" if access.missing else "denied",
        "wrong_external_id": "allowed" if access.wrong else "denied",
    }
    if access.missing or access.wrong:
        how = "without an external id" if access.missing else "with a wrong external id"
        return Finding(
            Status.FAIL, f"{expected.role_name} can be assumed {how}.", dict(evidence), APPLY
        )
    if not access.right:
        return Finding(
            Status.FAIL,
            f"Octo's account cannot assume {expected.role_name} with the external id.",
            dict(evidence),
            f"{APPLY} If it stays, compare the external id with the one that Octo shows.",
        )
    return Finding(
        Status.PASS,
        "The right external id is let in; a missing and a wrong one are not.",
        dict(evidence),
    )


CHECK = Check(
    id="api_access.assume",
    area=Area.API_ACCESS,
    promise="Octo can assume the role with the external id, and not without it.",
    permissions=("sts:AssumeRole",),
    applies=lambda _context: True,
    run=_run,
)
