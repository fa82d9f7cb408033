"""cur_s3.bucket_policy: the billing service may deliver reports, of this account only."""

import json
from collections.abc import Iterable

from orchestrator.model.desired import Desired
from orchestrator.model.module_contract.outputs import CurOutput
from orchestrator.model.observed import Observed
from orchestrator.model.report_delivery import SERVICE, PolicyJudgement, judge_bucket_policy
from orchestrator.verify.cur import read_bucket_policy
from orchestrator.verify.model import Check, Finding, failed, passed, warned
from orchestrator.verify.remedy import ByWay, Remedy, Restore


def _judge(desired: Desired, observed: Observed) -> Finding:
    cur = desired.cur
    bucket = cur.s3_bucket_name
    needed = json.loads(cur.bucket_policy_statements)
    policy = observed.bucket.policy if observed.bucket else None
    if policy is None:
        return failed(
            f"The bucket {bucket} has no policy, so AWS cannot deliver reports.",
            _adding(cur, []),
            bucket=bucket,
            needed=needed,
        )
    judged = judge_bucket_policy(policy, desired.delivery)
    is_ours = cur.bucket_policy_management == "module"
    mistakes = [
        *(f"nothing allows the billing service {lacking}" for lacking in judged.lacking),
        *(f"{statement} denies the billing service" for statement in judged.denying),
    ]
    doubts = [
        *(
            f"{statement} lets the billing service deliver for any account"
            for statement in judged.wide
        ),
        *(
            f"whether AWS can deliver depends on {_and(sorted(decision.keys))} in {statement},"
            " which octo-tf does not know"
            for statement, decision in judged.open.items()
        ),
    ]
    if is_ours:
        mistakes += doubts
        mistakes += [] if judged.requires_tls else ["nothing denies requests without TLS"]
    if mistakes:
        return failed(
            f"{bucket}'s policy is wrong: {'; '.join([*mistakes, *(() if is_ours else doubts)])}.",
            _hint(desired, judged),
            bucket=bucket,
            mistakes=mistakes,
            needed=needed,
        )
    if doubts:
        known = (
            f"It is not certain that AWS can deliver to {bucket}"
            if judged.open
            else f"AWS can deliver to {bucket}, by a policy that is weaker than octo-tf's"
        )
        return warned(
            f"{known}: {'; '.join(doubts)}.",
            _hint(desired, judged),
            bucket=bucket,
            doubts=doubts,
            needed=needed,
        )
    return passed(
        f"{bucket}'s policy allows the billing service to deliver for this account only.",
        bucket=bucket,
    )


def _hint(desired: Desired, judged: PolicyJudgement) -> Remedy:
    """Say how to fix the policy; octo-tf never changes another owner's statement."""
    cur = desired.cur
    if cur.bucket_policy_management == "module":
        return Restore("it restores the bucket's policy")
    steps = []
    open_denies = [name for name, d in judged.open.items() if d.statement_effect == "Deny"]
    if stopping := [*judged.denying, *open_denies]:
        steps.append(
            f"Exempt {SERVICE} in {_and(stopping)} of the bucket's policy, as AWS's data perimeter"
            ' does, with the condition "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}.'
        )
    if judged.wide:
        account = desired.outputs.account_id
        limit = f'the condition "StringEquals": {{"aws:SourceAccount": "{account}"}}'
        steps.append(
            f"Limit {_and(judged.wide)} of the bucket's policy by {limit}"
            + (
                ", or remove each that a statement of octo-tf's replaces."
                if cur.bucket_policy_management == "merged"
                else "."
            )
        )
    if judged.lacking or len(judged.open) > len(open_denies):
        return _adding(cur, steps)
    return " ".join([*steps, "Then run octo-tf verify."])


def _adding(cur: CurOutput, steps: list[str]) -> Remedy:
    """Say how the statements get into the policy, after other steps."""
    if cur.bucket_policy_management == "module":
        return Restore("it restores the bucket's policy")
    by_hand, needed = "Add these statements to the bucket's policy", cur.bucket_policy_statements
    if cur.report_option == "USE_EXISTING":
        terraform = f"{by_hand}: {needed}"
    elif cur.bucket_policy_management == "owner":
        merging = "or set cur_s3_bucket_merge_policy: true and run octo-tf apply"
        terraform = f"{by_hand}, {merging}: {needed}"
    else:
        terraform = "Run octo-tf apply: it adds the statements that are missing."
    return ByWay(" ".join([*steps, terraform]), " ".join([*steps, f"{by_hand}: {needed}"]))


def _and(names: Iterable[str]) -> str:
    return " and ".join(names)


CHECK = Check(
    id="cur_s3.bucket_policy",
    promise="The bucket's policy allows the billing service to deliver, for this account only.",
    permissions=("s3:GetBucketPolicy",),
    read=lambda context: Observed(bucket=read_bucket_policy(context)),
    judge=_judge,
)
