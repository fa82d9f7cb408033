"""cur_s3.encryption: AWS can write to the bucket, and Octo read from it, as it is encrypted.

Source: S3 User Guide, "Using server-side encryption with AWS KMS keys": who writes needs
kms:GenerateDataKey, who reads kms:Decrypt; the key of AWS (aws/s3) lets in no other service.
"""

import json
from typing import Any

from orchestrator.aws import kms, s3
from orchestrator.aws.errors import ServiceError, is_denied, is_not_found
from orchestrator.model.policy import Decision
from orchestrator.model.report_delivery import SERVICE, judge_key_policy
from orchestrator.verify.cur import missing_bucket, report_delivery
from orchestrator.verify.model import Check, Context, Finding, failed, passed, warned
from orchestrator.verify.remedy import Restore

_WITHOUT_KMS = "encrypt the bucket with S3's own keys (SSE-S3)"


def _run(context: Context) -> Finding:
    cur = context.cur
    bucket = cur.s3_bucket_name
    try:
        found = s3.default_encryption(context.aws, bucket, cur.s3_bucket_region)
    except ServiceError as error:
        if is_not_found(error):
            return missing_bucket(cur)
        raise
    if not found.algorithm.startswith("aws:kms"):
        return passed(f"{bucket} is encrypted with S3's own keys.", bucket=bucket)
    if cur.s3_bucket_option == "CREATE_NEW":
        return failed(
            f"{bucket} is encrypted with a KMS key, not with S3's own keys.",
            Restore("it restores the bucket's encryption"),
            bucket=bucket,
        )
    try:
        key = kms.read_key(context.aws, found.key or kms.S3_KEY, cur.s3_bucket_region)
    except ServiceError as error:
        if not found.key and (is_denied(error) or is_not_found(error)):
            return _key_of_aws(bucket)
        if is_not_found(error):
            return failed(
                f"{bucket} is encrypted with the KMS key {found.key}, which does not exist.",
                f"Name a key of this account that exists, or {_WITHOUT_KMS}.",
                bucket=bucket,
                key=found.key,
            )
        if not is_denied(error):
            raise
        return warned(
            f"{bucket} is encrypted with the KMS key {found.key}, which may not be read here, so"
            " it is not known whether AWS can deliver.",
            f"Grant the caller kms:DescribeKey and kms:GetKeyPolicy on the key, or {_WITHOUT_KMS}.",
            bucket=bucket,
            key=found.key,
        )
    if key.is_of_aws:
        return _key_of_aws(bucket)
    if key.state != "Enabled":
        return failed(
            f"The KMS key {key.arn} of {bucket} is {key.state}, so AWS cannot deliver.",
            f"Enable the key, or {_WITHOUT_KMS}.",
            bucket=bucket,
            key=key.arn,
        )
    return _judge(context, bucket, key)


def _key_of_aws(bucket: str) -> Finding:
    return failed(
        f"{bucket} is encrypted with the KMS key of AWS (aws/s3), whose policy does not admit"
        " the billing service and cannot be changed, so AWS cannot deliver.",
        f"Use a KMS key of your own, or {_WITHOUT_KMS}.",
        bucket=bucket,
    )


def _judge(context: Context, bucket: str, key: kms.Key) -> Finding:
    cur = context.cur
    judged = judge_key_policy(
        key.policy,
        report_delivery(context),
        role_arn=cur.role.role_arn,
        role_policies=list(cur.role.inline_policies.values()),
        same_account=key.arn.split(":")[4] == context.expected.account_id,
    )
    needs = {
        f"AWS's billing service ({SERVICE}) cannot encrypt with it": judged.deliver,
        f"{cur.role.role_name} cannot decrypt with it": judged.read,
    }
    evidence: dict[str, Any] = {"bucket": bucket, "key": key.arn}
    mistakes = [
        _because(what, decision) for what, decision in needs.items() if decision.outcome == "denied"
    ]
    if mistakes:
        steps = []
        if judged.needed:
            added = json.dumps(list(judged.needed))
            steps.append(f"Add to the key's policy: {added}")
        if judged.read.layer == "identity":
            steps.append(
                f"Use a key of account {context.expected.account_id}: {cur.role.role_name} has no"
                f" permission for another account's; or {_WITHOUT_KMS}."
            )
        if denying := [str(d.statement) for d in needs.values() if d.explicit_deny]:
            steps.append(f"Exempt them in {' and '.join(denying)} of the key's policy.")
        return failed(
            f"{bucket} is encrypted with the KMS key {key.arn}: {'; '.join(mistakes)}.",
            " ".join(steps),
            **evidence,
            mistakes=mistakes,
            needed=list(judged.needed),
        )
    if keys := judged.deliver.keys | judged.read.keys:
        return warned(
            f"Whether AWS can encrypt, and Octo decrypt, with the KMS key {key.arn} of {bucket}"
            f" depends on {' and '.join(sorted(keys))}, which octo-tf does not know.",
            "Look at what cur_s3.delivery and cur_s3.read report once AWS has delivered.",
            **evidence,
        )
    return passed(
        f"{bucket} is encrypted with the KMS key {key.arn}, which AWS and {cur.role.role_name}"
        " may use.",
        **evidence,
    )


def _because(what: str, decision: Decision) -> str:
    return f"{what}: {decision.statement} denies it" if decision.explicit_deny else what


CHECK = Check(
    id="cur_s3.encryption",
    promise="AWS can write to the bucket and Octo can read it, with the key that encrypts it.",
    permissions=("kms:DescribeKey", "kms:GetKeyPolicy", "s3:GetEncryptionConfiguration"),
    run=_run,
)
