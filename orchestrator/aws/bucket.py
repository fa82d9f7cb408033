"""What must be known of an existing bucket before Terraform plans."""

from __future__ import annotations

from botocore.exceptions import ClientError

from orchestrator.aws.session import Aws


def has_policy(aws: Aws, bucket: str) -> bool:
    """Whether the bucket has a policy (S3 GetBucketPolicy).

    Raises:
        botocore.exceptions.ClientError: the bucket does not exist or may not be read.
    """
    try:
        aws.client("s3").get_bucket_policy(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucketPolicy":
            return False
        raise
    return True
