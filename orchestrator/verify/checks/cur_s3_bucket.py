"""cur_s3.bucket: the bucket is there, this account's, and in its region."""

from botocore.exceptions import ClientError

from orchestrator.aws.errors import code_of
from orchestrator.verify.cur import has_cur, wanted
from orchestrator.verify.model import Area, Check, Context, Finding, Status


def _run(context: Context) -> Finding:
    cur = wanted(context)
    bucket = cur.s3_bucket_name
    s3 = context.aws.client("s3", cur.s3_bucket_region)
    try:
        # An account that may read a foreign bucket must not take it for its own.
        location = s3.get_bucket_location(
            Bucket=bucket, ExpectedBucketOwner=context.expected.account_id
        )["LocationConstraint"]
    except ClientError as error:
        if code_of(error) == "NoSuchBucket":
            return Finding(
                Status.FAIL,
                f"The bucket {bucket} does not exist.",
                {"bucket": bucket},
                "Run octo-tf apply: it makes the bucket (or name another with cur_s3_bucket_name).",
            )
        raise
    # S3 calls us-east-1 null, and eu-west-1 sometimes EU (GetBucketLocation).
    region = {None: "us-east-1", "": "us-east-1", "EU": "eu-west-1"}.get(location, location)
    if region != cur.s3_bucket_region:
        return Finding(
            Status.FAIL,
            f"The bucket {bucket} is in {region}, not in {cur.s3_bucket_region}.",
            {"found": region, "wanted": cur.s3_bucket_region},
            f"Set cur_s3_bucket_region: {region} in octo.yaml, then run octo-tf apply.",
        )
    return Finding(
        Status.PASS,
        f"{bucket} is this account's, in {region}.",
        {"bucket": bucket, "region": region},
    )


CHECK = Check(
    id="cur_s3.bucket",
    area=Area.CUR_S3,
    promise="The bucket exists, belongs to this account and is in its region.",
    permissions=("s3:GetBucketLocation",),
    applies=has_cur,
    run=_run,
)
