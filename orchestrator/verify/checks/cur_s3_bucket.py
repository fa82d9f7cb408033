"""cur_s3.bucket: the bucket exists, belongs to this account and is in the expected region."""

from orchestrator.aws.s3 import bucket_region
from orchestrator.model.desired import Desired
from orchestrator.model.observed import Bucket, Observed
from orchestrator.verify.cur import missing_bucket
from orchestrator.verify.model import Check, Context, Finding, failed, passed
from orchestrator.verify.remedy import Restore


def _read(context: Context) -> Observed:
    name = context.desired.cur.s3_bucket_name
    # An account that may read another account's bucket must not take it for its own.
    region = bucket_region(context.aws, name, context.desired.outputs.account_id)
    return Observed(bucket=Bucket(name, region) if region else None)


def _judge(desired: Desired, observed: Observed) -> Finding:
    cur = desired.cur
    if observed.bucket is None:
        return missing_bucket(cur)
    bucket, region = observed.bucket.name, observed.bucket.region
    if region != cur.s3_bucket_region:
        return failed(
            f"The bucket {bucket} is in {region}, not in {cur.s3_bucket_region}.",
            Restore(first=f"Set cur_s3_bucket_region: {region} in octo.yaml")
            if cur.report_option == "CREATE_NEW"
            else Restore(first="Have the report name the bucket's region"),
            found=region,
            wanted=cur.s3_bucket_region,
        )
    return passed(
        f"{bucket} belongs to this account and is in {region}.", bucket=bucket, region=region
    )


CHECK = Check(
    id="cur_s3.bucket",
    promise="The bucket exists, belongs to this account and is in the expected region.",
    permissions=("s3:GetBucketLocation",),
    read=_read,
    judge=_judge,
)
