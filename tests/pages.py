"""Runs to be shown as a page: of small and large payers, of a plan, with hostile names."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

from orchestrator.app.review import Review
from orchestrator.model.account import Account
from orchestrator.model.control_policies import ControlPolicy
from orchestrator.model.coverage import Coverage, cover
from orchestrator.model.effects import (
    AttributeChange,
    Effects,
    LinkedChange,
    Origin,
    Repair,
    role_change,
)
from orchestrator.model.guardrail import Exempted, Obstacle, Phase
from orchestrator.model.observed import Role
from orchestrator.model.octo_records import AccountRecord, OctoAnswer
from orchestrator.model.organization import Member, Organization
from orchestrator.model.outside_action import REGISTER, OutsideAction
from orchestrator.model.stackset import StackInstance, StackSet
from orchestrator.report.page import Page
from orchestrator.stackset import examination
from orchestrator.stackset.guardrails import Guardrails
from orchestrator.terraform.events import PlannedChange
from orchestrator.terraform.guard import Verdict
from orchestrator.terraform.plan import Plan
from orchestrator.verify.model import Area, CheckResult, Finding, Report, Status
from orchestrator.verify.runner import find

SECRET = "an-external-id-of-octo"
PAYER = "111122223333"
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=timezone.utc)
HOSTILE = (
    "\"><script>fetch('http://evil.example/')</script><img src=x onerror=alert(1)>\u202e{{7*7}}'"
)
_REASONS = (
    "AccessDenied: an SCP of the organization denies iam:CreateRole",
    "the role AlphausAcctAccessRole exists already",
)


def coverage_of(accounts: int, *, healthy: bool = False, name: str = "Team") -> Coverage:
    """An organization of OUs in OUs; unless it is healthy, accounts of every state are in it."""
    ous = {"ou-a": "r-1", "ou-a1": "ou-a", "ou-a2": "ou-a", "ou-b": "r-1", "ou-c": "r-1"}
    ous |= {f"ou-b{n}": "ou-b" for n in range(accounts // 100)}
    names = {
        "ou-a": "Production",
        "ou-a1": "Shop",
        "ou-a2": "Payments",
        "ou-b": "Workloads",
        "ou-c": "Sandboxes",
        **{f"ou-b{n}": f"Workload {n}" for n in range(accounts // 100)},
    }
    homes = [*ous]
    members, instances = [Member(PAYER, "payer", "ACTIVE", "r-1")], {}
    for n in range(accounts):
        account_id = f"{200000000000 + n}"
        state, detailed, reason = "ACTIVE", "SUCCEEDED", ""
        if not healthy and n % 29 == 7:
            detailed, reason = "FAILED", _REASONS[n % 2]
        elif not healthy and n % 53 == 11:
            detailed = "RUNNING"
        elif not healthy and n % 61 == 13:
            state = "SUSPENDED"
        ou = homes[n % len(homes)]
        members.append(Member(account_id, f"{name} {n}", state, ou))
        if healthy or n % 71 != 17:
            status = "CURRENT" if detailed == "SUCCEEDED" else "OUTDATED"
            instances[account_id] = StackInstance(
                account_id, ou, status, detailed, reason, "operation", True, "us-east-1"
            )
    if not healthy:
        instances["999999999999"] = StackInstance(
            "999999999999", "ou-c", "CURRENT", "SUCCEEDED", "", "operation", True, "us-east-1"
        )
    organization = Organization("r-1", {"r-1": None, **ous}, tuple(members), PAYER, names)
    return cover(
        organization,
        StackSet("octo", instances=instances),
        targets=["r-1"],
        excluded=[] if healthy else [members[1].account_id],
    )


def effects_of(address: str) -> Effects:
    """A role with a new write, a policy by hand, and long names."""
    wide = {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    path = "arn:aws:s3:::" + "a-long-name-" * 6 + "/*"
    narrow = {"Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": path}]}
    roles = [Role("AlphausAcctAccessRole", "", inline={"p": p}) for p in (wide, narrow)]
    return Effects(
        (role_change(*roles, {}),),
        repairs=(
            Repair("inline policy hand is removed: put there outside Terraform", roles[0].name),
        ),
        linked=LinkedChange(get=("444455556666",)),
        attributes={address: (AttributeChange("tags", "{}", '{"team": "finops"}'),)},
        origin=Origin(
            PAYER, "eu-west-1", "bucket", "eu-west-1", {"octo-tf": "1"}, "c" * 40, "d" * 64
        ),
    )


def review_of(*, refused: bool = False, name: str = "Acme") -> Review:
    change = PlannedChange
    changes = (
        change("module.octo.module.api_access.aws_iam_role.api_access", "aws_iam_role", "create"),
        change(
            'module.octo.module.linked_accounts[0].aws_cloudformation_stack_set_instance.linked["r-1"]',
            "aws_cloudformation_stack_set_instance",
            "update",
        ),
        change(
            "module.octo.module.cur_export[0].aws_s3_bucket.cur[0]",
            "aws_s3_bucket",
            "update",
            imported=True,
        ),
        change(
            "module.octo.module.cur_export[0].aws_iam_role.cur",
            "aws_iam_role",
            "replace",
            "cannot_update",
        ),
    )
    refusals = {changes[-1].address: "Octo could no longer reach the account"} if refused else {}
    return Review(
        Plan(Path("tfplan"), changes, True, inputs={"external_id": SECRET}),
        Verdict(refusals),
        PAYER,
        name,
        "payer",
        outside=(OutsideAction(REGISTER, PAYER, f"Register account {PAYER} with Octo."),),
        effects=effects_of(changes[2].address),
        replay="octo-tf apply --plan tfplan",
    )


def report_of(coverage: Coverage | None, *, healthy: bool = False, name: str = "Acme") -> Report:
    """Every check of octo-tf: all pass, or each status occurs."""
    statuses = [Status.PASS, Status.PASS, Status.PASS, Status.FAIL, Status.PENDING, Status.SKIPPED]
    results = []
    for n, check in enumerate(find()):
        status = Status.PASS if healthy else statuses[n % len(statuses)]
        evidence: dict[str, object] = {
            "name": name,
            "statements": [{"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"]}],
            "nothing": None,
            "many": [f"action:{i}" for i in range(30)],
        }
        if check.id == "stackset.coverage":
            if coverage is None:
                continue
            evidence = {"coverage": coverage}
            status = Status.PASS if healthy else Status.FAIL
        hint = "" if status is Status.PASS else f"Run octo-tf apply: it restores {name}."
        finding = Finding(status, f"The thing of {name} was looked up.", evidence, hint)
        results.append(CheckResult(check.id, check.area, check.promise, finding, 0.25))
    areas = {
        area: Status.PASS if healthy or area is Area.API_ACCESS else Status.FAIL for area in Area
    }
    if coverage is None:
        areas[Area.STACKSET] = Status.SKIPPED
    known = {area.value for area in Area}
    status = Status.PASS if healthy else Status.FAIL
    features = {str(r.area): status for r in results if str(r.area) not in known}
    times = [NOW - timedelta(hours=11 * n, minutes=7 * n) for n in range(60)]
    record = AccountRecord(
        account_id=PAYER,
        account_name=name,
        account_type="payer",
        applied_at=times[40].isoformat(timespec="seconds"),
        verified_at=NOW.isoformat(timespec="seconds"),
        deliveries=tuple(t.isoformat(timespec="seconds") for t in reversed(times)),
    )
    answer = OctoAnswer(state="refused", at=str(record.verified_at), reason=name, hint="Fix it.")
    octo = {} if healthy else {Area.API_ACCESS: answer}
    return Report(PAYER, "payer", name, tuple(results), areas, features, octo, record=record)


def page_of(
    accounts: int = 5, *, healthy: bool = False, plan: bool = False, name: str = "Acme"
) -> Page:
    """The page of a verification; with a plan, of an apply."""
    coverage = coverage_of(accounts, healthy=healthy, name=name) if accounts else None
    return Page(
        "apply" if plan else "verify",
        NOW,
        {"region": "us-east-1", "use_stackset": True, "tags": {"team": name}},
        [("The command that wrote this page", f"octo-tf verify --tag 'team={name}'")],
        review_of(name=name) if plan else None,
        report_of(coverage, healthy=healthy, name=name),
    )


def plan_page(*, refused: bool = False) -> Page:
    """The page of a plan alone."""
    return Page("plan", NOW, {"region": "us-east-1"}, [], review_of(refused=refused))


def preflight_page(*, name: str = "guard") -> Page:
    """The page of a preflight: a policy of the organization cuts a linked account off."""
    deny = {"Sid": name, "Effect": "Deny", "Action": "iam:CreateRole", "Resource": "*"}
    policy = ControlPolicy("p-1", name, "SERVICE_CONTROL_POLICY", {"Statement": [deny]})
    exempted = Exempted("ArnNotLike", "aws:PrincipalArn", ("arn:aws:iam::*:role/stacksets-exec-*",))
    predicted = Guardrails(
        tuple(
            Obstacle(
                *(
                    Phase.DEPLOYMENT,
                    certain,
                    (policy,),
                    1,
                    f"statement {name}",
                    ("iam:CreateRole",),
                ),
                *(
                    () if certain else ("aws:requestedregion",),
                    ("222222222222",),
                    ("r-1",),
                    exempted,
                ),
            )
            for certain in (True, False)
        ),
        policies=1,
        chains=1,
        accounts=3,
    )
    lacking = examination.Finding("permissions", "warning", f"{name} may not.", "Grant it.")
    findings = (lacking, *examination.policies(predicted))
    account = Account(PAYER, "payer", f"arn:aws:iam::{PAYER}:user/{name}", PAYER)
    found = examination.Examination(account, findings, predicted)
    return Page("preflight", NOW, {"region": "us-east-1"}, [], examination=found)
