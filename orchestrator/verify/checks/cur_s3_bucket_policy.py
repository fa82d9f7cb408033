"""cur_s3.bucket_policy: the billing service may deliver reports, of this account only."""

import json
from collections.abc import Iterable

from orchestrator.model.report_delivery import SERVICE, PolicyJudgement, judge_bucket_policy
from orchestrator.verify.cur import bucket_policy, expected_cur, has_cur, report_delivery
from orchestrator.verify.model import Area, Check, Context, Finding, failed, passed, warned


def _run(context: Context) -> Finding:
    cur = expected_cur(context)
    bucket = cur.s3_bucket_name
    needed = json.loads(cur.bucket_policy_statements)
    text = bucket_policy(context)
    if text is None:
        return failed(
            f"The bucket {bucket} has no policy, so AWS cannot deliver reports.",
            " ".join(_add_statements(context)),
            bucket=bucket,
            needed=needed,
        )
    judged = judge_bucket_policy(text, report_delivery(context))
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
            _hint(context, judged),
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
            _hint(context, judged),
            bucket=bucket,
            doubts=doubts,
            needed=needed,
        )
    return passed(
        f"{bucket}'s policy allows the billing service to deliver for this account only.",
        bucket=bucket,
    )


def _hint(context: Context, judged: PolicyJudgement) -> str:
    """Say what ends the mistakes: octo-tf never changes another owner's statement."""
    cur = expected_cur(context)
    if cur.bucket_policy_management == "module":
        return "Run octo-tf apply: it restores the bucket's policy."
    steps = []
    open_denies = [name for name, d in judged.open.items() if d.statement_effect == "Deny"]
    if stopping := [*judged.denying, *open_denies]:
        steps.append(
            f"Exempt {SERVICE} in {_and(stopping)} of the bucket's policy, as AWS's data perimeter"
            ' does, by the condition "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}.'
        )
    if judged.wide:
        account = context.expected.account_id
        limit = f'the condition "StringEquals": {{"aws:SourceAccount": "{account}"}}'
        steps.append(
            f"Limit {_and(judged.wide)} of the bucket's policy by {limit}"
            + (
                ", or remove what has a statement of octo-tf's beside it."
                if cur.bucket_policy_management == "merged"
                else "."
            )
        )
    if judged.lacking or len(judged.open) > len(open_denies):
        steps += _add_statements(context)
    else:
        steps.append("Then run octo-tf verify.")
    return " ".join(steps)


def _add_statements(context: Context) -> list[str]:
    """Say how the statements get into the policy."""
    cur = expected_cur(context)
    if cur.bucket_policy_management == "owner":
        return [
            "Add these statements to the bucket's policy, or set cur_s3_bucket_merge_policy: true"
            f" and run octo-tf apply: {cur.bucket_policy_statements}"
        ]
    if cur.bucket_policy_management == "merged":
        return ["Run octo-tf apply: it adds the statements that are missing."]
    return ["Run octo-tf apply: it restores the bucket's policy."]


def _and(names: Iterable[str]) -> str:
    return " and ".join(names)


CHECK = Check(
    id="cur_s3.bucket_policy",
    area=Area.CUR_S3,
    promise="The bucket's policy allows the billing service to deliver, for this account only.",
    permissions=("s3:GetBucketPolicy",),
    applies=has_cur,
    run=_run,
)
