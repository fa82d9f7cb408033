"""cur_s3.public_access: the bucket blocks public access."""

from orchestrator.aws.errors import ServiceError, is_not_found
from orchestrator.aws.s3 import public_access_block
from orchestrator.verify.cur import missing_bucket
from orchestrator.verify.model import Check, Context, Finding, failed, passed
from orchestrator.verify.remedy import Remedy, Restore

_SETTINGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def _run(context: Context) -> Finding:
    cur = context.cur
    bucket = cur.s3_bucket_name
    try:
        blocked = public_access_block(context.aws, bucket, cur.s3_bucket_region)
    except ServiceError as error:
        if is_not_found(error):
            return missing_bucket(cur)
        raise
    open_settings = [name for name in _SETTINGS if not blocked.get(name)]
    if open_settings:
        remedy: Remedy = (
            Restore("it blocks public access")
            if cur.s3_bucket_option == "CREATE_NEW"
            else "Block public access on the bucket: aws s3api put-public-access-block"
            f" --bucket {bucket} --public-access-block-configuration "
            + ",".join(f"{name}=true" for name in _SETTINGS)
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
    run=_run,
)
