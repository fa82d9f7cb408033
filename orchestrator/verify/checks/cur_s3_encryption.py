"""cur_s3.encryption: AWS can write to the bucket, and Octo read from it, as it is encrypted.

Source: S3 User Guide, "Using server-side encryption with AWS KMS keys": who writes needs
kms:GenerateDataKey, who reads kms:Decrypt; the key of AWS (aws/s3) lets in no other service.
"""

import json
from typing import Any

from orchestrator.aws import kms, s3
from orchestrator.model.desired import Desired
from orchestrator.model.module_contract.octo_names import CUR_ROLE
from orchestrator.model.observed import Bucket, Key, Observed
from orchestrator.model.policy import Decision
from orchestrator.model.report_delivery import SERVICE, judge_key_policy
from orchestrator.verify.cur import missing_bucket
from orchestrator.verify.model import Check, Context, Finding, failed, passed, warned
from orchestrator.verify.remedy import Restore

_WITHOUT_KMS = "encrypt the bucket with S3's own keys (SSE-S3)"


_KEY_OF_AWS = "alias/aws/s3"  # what SSE-KMS uses where no key is named


def _read(context: Context) -> Observed:
    cur = context.desired.cur
    name, region = cur.s3_bucket_name, cur.s3_bucket_region
    found = s3.default_encryption(context.aws, name, region)
    if found is None:
        return Observed(bucket=None)
    key = None
    if found.algorithm.startswith("aws:kms") and cur.s3_bucket_option == "USE_EXISTING":
        key = kms.read_key(context.aws, found.key or _KEY_OF_AWS, region)
    return Observed(bucket=Bucket(name, encryption=found, key=key))


def _judge(desired: Desired, observed: Observed) -> Finding:
    cur = desired.cur
    bucket = cur.s3_bucket_name
    if observed.bucket is None:
        return missing_bucket(cur)
    algorithm = observed.bucket.encryption.algorithm
    if algorithm == "AES256":
        return passed(f"{bucket} is encrypted with S3's own keys.", bucket=bucket)
    if not algorithm.startswith("aws:kms"):
        return warned(
            f"{bucket} is encrypted by {algorithm}, which octo-tf does not know: AWS may be"
            " unable to deliver to it, or Octo to read it.",
            f"Look at what cur_s3.delivery and cur_s3.read report, or {_WITHOUT_KMS}.",
            bucket=bucket,
            algorithm=algorithm,
        )
    key = observed.bucket.key
    if cur.s3_bucket_option == "CREATE_NEW" or key is None:
        return failed(
            f"{bucket} is encrypted with a KMS key, not with S3's own keys.",
            Restore("it restores the bucket's encryption"),
            bucket=bucket,
        )
    if key.is_of_aws or key.arn == _KEY_OF_AWS:
        return failed(
            f"{bucket} is encrypted with the KMS key of AWS (aws/s3), whose policy does not admit"
            " the billing service and cannot be changed, so AWS cannot deliver.",
            f"Use a KMS key of your own, or {_WITHOUT_KMS}.",
            bucket=bucket,
        )
    evidence: dict[str, Any] = {"bucket": bucket, "key": key.arn}
    if key.state == "missing":
        return failed(
            f"{bucket} is encrypted with the KMS key {key.arn}, which does not exist.",
            f"Name a key of this account that exists, or {_WITHOUT_KMS}.",
            **evidence,
        )
    if key.state == "denied":
        return warned(
            f"{bucket} is encrypted with the KMS key {key.arn}, which may not be read here, so"
            " it is not known whether AWS can deliver.",
            f"Grant the caller kms:DescribeKey and kms:GetKeyPolicy on the key, or {_WITHOUT_KMS}.",
            **evidence,
        )
    if key.state != "Enabled":
        return failed(
            f"The KMS key {key.arn} of {bucket} is {key.state}, so AWS cannot deliver.",
            f"Enable the key, or {_WITHOUT_KMS}.",
            **evidence,
        )
    return _judge_policy(desired, key, evidence)


def _judge_policy(desired: Desired, key: Key, evidence: dict[str, Any]) -> Finding:
    bucket = evidence["bucket"]
    role, account_id = desired.roles[CUR_ROLE], desired.outputs.account_id
    judged = judge_key_policy(
        key.policy,
        desired.delivery,
        role_arn=role.arn,
        role_policies=list(role.inline.values()),
        same_account=key.arn.split(":")[4] == account_id,
    )
    needs = {
        f"AWS's billing service ({SERVICE}) cannot encrypt with it": judged.deliver,
        f"{role.name} cannot decrypt with it": judged.read,
    }
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
                f"Use a key of account {account_id}: {role.name} has no permission for another"
                f" account's; or {_WITHOUT_KMS}."
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
        f"{bucket} is encrypted with the KMS key {key.arn}, which AWS and {role.name} may use.",
        **evidence,
    )


def _because(what: str, decision: Decision) -> str:
    return f"{what}: {decision.statement} denies it" if decision.explicit_deny else what


CHECK = Check(
    id="cur_s3.encryption",
    promise="AWS can write to the bucket and Octo can read it, with the key that encrypts it.",
    permissions=("kms:DescribeKey", "kms:GetKeyPolicy", "s3:GetEncryptionConfiguration"),
    read=_read,
    judge=_judge,
)
