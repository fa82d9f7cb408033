"""cur_s3.public_access: the bucket blocks public access."""

from orchestrator.aws.s3 import public_access_block
from orchestrator.model.aws_cli import aws_line
from orchestrator.model.desired import Desired
from orchestrator.model.observed import Bucket, Observed
from orchestrator.verify.cur import missing_bucket
from orchestrator.verify.model import Check, Context, Finding, failed, passed
from orchestrator.verify.remedy import Remedy, Restore

_SETTINGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def _read(context: Context) -> Observed:
    cur = context.desired.cur
    name = cur.s3_bucket_name
    found = public_access_block(context.aws, name, cur.s3_bucket_region)
    return Observed(bucket=None if found is None else Bucket(name, public_access_block=found))


def _judge(desired: Desired, observed: Observed) -> Finding:
    cur = desired.cur
    bucket = cur.s3_bucket_name
    if observed.bucket is None:
        return missing_bucket(cur)
    blocked = observed.bucket.public_access_block
    open_settings = [name for name in _SETTINGS if not blocked.get(name)]
    if open_settings:
        blocks = aws_line(
            *("s3api", "put-public-access-block", "--bucket", bucket),
            "--public-access-block-configuration",
            ",".join(f"{name}=true" for name in _SETTINGS),
            profile=desired.profile,
            region=cur.s3_bucket_region,
        )
        remedy: Remedy = (
            Restore("it blocks public access")
            if cur.s3_bucket_option == "CREATE_NEW"
            else f"Block public access on the bucket: {blocks}"
        )
        return failed(
            f"{bucket} does not block public access; switched off: {', '.join(open_settings)}.",
            remedy,
            bucket=bucket,
            off=open_settings,
        )
    return passed(f"{bucket} blocks public access.", bucket=bucket)


CHECK = Check(
    id="cur_s3.public_access",
    promise="The bucket blocks every kind of public access.",
    permissions=("s3:GetBucketPublicAccessBlock",),
    read=_read,
    judge=_judge,
)
