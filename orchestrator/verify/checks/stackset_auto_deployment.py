"""stackset.auto_deployment: accounts that join are deployed to."""

from orchestrator.aws import stacksets
from orchestrator.verify.model import Area, Check, Context, Finding, Status
from orchestrator.verify.stackset import APPLY, applies, expected, missing


def _run(context: Context) -> Finding:
    wanted = expected(context)
    settings = stacksets.describe(context.aws, wanted.name)
    if settings is None:
        return missing(wanted.name)
    automatic = settings.get("AutoDeployment", {})
    targets = sorted(settings.get("OrganizationalUnitIds", []))
    evidence: dict[str, object] = {"enabled": bool(automatic.get("Enabled")), "targets": targets}
    if not automatic.get("Enabled"):
        return Finding(
            Status.FAIL,
            "Automatic deployment is off: who joins is missed.",
            evidence,
            APPLY,
        )
    if left_out := sorted(set(wanted.targets) - set(targets)):
        return Finding(
            Status.FAIL,
            f"Accounts that join {', '.join(left_out)} are missed: it is no target.",
            evidence,
            APPLY,
        )
    return Finding(
        Status.PASS, f"Accounts that join {', '.join(wanted.targets)} are deployed to.", evidence
    )


CHECK = Check(
    id="stackset.auto_deployment",
    area=Area.STACKSET,
    promise="Accounts that join a target get the role without anybody's doing.",
    permissions=("cloudformation:DescribeStackSet",),
    applies=applies,
    run=_run,
)
