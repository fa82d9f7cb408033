"""cur_s3.public_access: billing data cannot become public."""

from botocore.exceptions import ClientError

from orchestrator.aws.errors import code_of
from orchestrator.verify.cur import has_cur, wanted
from orchestrator.verify.model import Area, Check, Context, Finding, Status

_SETTINGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def _run(context: Context) -> Finding:
    cur = wanted(context)
    bucket = cur.s3_bucket_name
    try:
        blocked = context.aws.client("s3", cur.s3_bucket_region).get_public_access_block(
            Bucket=bucket
        )["PublicAccessBlockConfiguration"]
    except ClientError as error:
        if code_of(error) == "NoSuchBucket":
            return Finding(
                Status.FAIL,
                f"The bucket {bucket} does not exist.",
                {"bucket": bucket},
                "Run octo-tf apply: it makes the bucket.",
            )
        if code_of(error) != "NoSuchPublicAccessBlockConfiguration":
            raise
        blocked = {}
    open_settings = [name for name in _SETTINGS if not blocked.get(name)]
    if open_settings:
        hint = (
            "Run octo-tf apply: it blocks public access."
            if cur.s3_bucket_option == "CREATE_NEW"
            else "Block public access on the bucket: aws s3api put-public-access-block"
            f" --bucket {bucket} --public-access-block-configuration "
            + ",".join(f"{name}=true" for name in _SETTINGS)
        )
        return Finding(
            Status.FAIL,
            f"{bucket} does not block public access: {', '.join(open_settings)} are off.",
            {"bucket": bucket, "off": open_settings},
            hint,
        )
    return Finding(Status.PASS, f"{bucket} blocks public access.", {"bucket": bucket})


CHECK = Check(
    id="cur_s3.public_access",
    area=Area.CUR_S3,
    promise="The bucket blocks every kind of public access.",
    permissions=("s3:GetBucketPublicAccessBlock",),
    applies=has_cur,
    run=_run,
)
