"""What the Terraform module's validations refuse, so that it is refused where it is typed.

Source: ``terraform/modules/octo/variables.tf``. ``tests/module/test_same_values.py`` gives one
table of values to the module and to this model: both must refuse the same ones.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

# S3 User Guide, "Namespaces for general purpose buckets".
_OF_A_NAMESPACE = r"-[0-9]{12}-[a-z0-9-]+-an$"
_TAGS_AT_MOST = 50
_TAG_SIGNS = frozenset("_.:/=+-@")


def _form(pattern: str, valid: str, *, but_not: str = "") -> Any:
    """Return a type of text of one form.

    Args:
        pattern: what the whole text must match.
        valid: the valid form, in words that follow "must be".
        but_not: what must not be anywhere in it.
    """

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value) or (but_not and re.search(but_not, value)):
            raise PydanticCustomError("form", "must be {valid}", {"valid": valid})
        return value

    schema: dict[str, Any] = {"type": "string", "pattern": f"^{pattern}$"}
    if but_not:
        schema["not"] = {"pattern": but_not}
    return Annotated[str, AfterValidator(check), WithJsonSchema(schema)]


# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
BucketName = _form(
    r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    "3 to 63 lower-case letters, digits, dots and hyphens, start and end with a letter or digit,"
    " not look like an IP address, and use no prefix or suffix that S3 reserves",
    but_not=r"[.][.]|^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+$|^(xn--|sthree-|amzn-s3-demo-)"
    r"|(-s3alias|--ol-s3|[.]mrap|--x-s3|--table-s3)$",
)
# Reports of before November 2025 may have a prefix that AWS takes for a new one no longer.
Prefix = _form(
    r"[0-9A-Za-z!_.*'()/-]{1,256}",
    "1 to 256 letters, digits and !-_.*'()/, with no slash at either end",
    but_not=r"^/|/$",
)
ReportName = _form(r"[0-9A-Za-z!_.*'()-]{1,256}", "1 to 256 letters, digits and !-_.*'()")
PolicyArn = _form(
    r"arn:[a-z-]+:iam::([0-9]{12}|aws):policy/[^\n]+",
    "the ARN of a policy, like arn:aws:iam::111122223333:policy/Boundary",
)
StackSetName = _form(
    r"[A-Za-z][A-Za-z0-9-]{0,127}",
    "1 to 128 letters, digits and hyphens, and start with a letter",
)
ReadAction = _form(
    r"[a-z0-9-]{1,40}:(BatchDescribe|BatchGet|Describe|Get|List|Lookup|Search|View)"
    r"[A-Za-z0-9]{0,100}",
    "an exact action that lists or reads, and answers with no secrets, credentials or stored data,"
    " like rds:DescribeDBProxies",
    # As in the module: what answers with more than descriptions, however its name begins.
    but_not=r"^(secretsmanager:(Get|BatchGet)|ssm:GetParameter|s3(express)?:GetObject|kms:Get"
    r"|sts:Get|cognito-identity:Get|ec2:Get(PasswordData|ConsoleOutput|ConsoleScreenshot)"
    r"|ec2:DescribeInstanceAttribute|ecr:GetAuthorizationToken|ecr-public:GetAuthorizationToken"
    r"|codeartifact:GetAuthorizationToken|redshift:GetClusterCredentials"
    r"|redshift-serverless:GetCredentials|rds-data:|dynamodb:(Get|BatchGet)"
    r"|kinesis:Get(Records|ShardIterator)|logs:Get|iam:GetLoginProfile|lambda:GetFunction"
    r"|apigateway:)",
)
Consent = _form(
    r"\S+ (may \S+( under fewer conditions)?"
    r"|trusts \S+( for \S+)?( without \S+| under other conditions)?|without the boundary \S+)"
    r"( in linked accounts)?",
    "a line as octo-tf plan names it, like AlphausAcctAccessRole may s3:PutObject",
)
LogicalId = _form(r"[0-9A-Za-z]{1,255}", "1 to 255 letters and digits")


def _tags(value: dict[str, str]) -> dict[str, str]:
    """Check tags by what every service of the module takes: IAM, S3, CUR, CloudFormation."""
    if len(value) > _TAGS_AT_MOST:
        raise PydanticCustomError("tags", "must be at most 50 tags")
    for key, text in value.items():
        if not 1 <= _length(key) <= 128 or key.lower().startswith("aws:"):
            what, valid = "key", "1 to 128 characters, and not start with aws:"
        elif _length(text) > 256:
            what, valid = "value", "at most 256 characters"
        elif not all(unicodedata.category(c)[0] in "LZN" or c in _TAG_SIGNS for c in key + text):
            what, valid = "key and its value", "letters, digits, spaces and _.:/=+-@"
        else:
            continue
        raise PydanticCustomError(
            "tag", "the {what} must be {valid}", {"what": what, "valid": valid, "within": key}
        )
    return value


def _length(text: str) -> int:
    """Count characters as Terraform does, which composes them first (NFC)."""
    return len(unicodedata.normalize("NFC", text))


Tags = Annotated[
    dict[str, str],
    AfterValidator(_tags),
    WithJsonSchema(
        {
            "type": "object",
            "maxProperties": _TAGS_AT_MOST,
            "propertyNames": {
                "minLength": 1,
                "maxLength": 128,
                "not": {"pattern": "^[aA][wW][sS]:"},
            },
            "additionalProperties": {"type": "string", "maxLength": 256},
        }
    ),
]


def _one_tag(value: dict[str, str]) -> dict[str, str]:
    signs = r"[0-9A-Za-z_.:/=+@ -]"
    for key, text in value.items():
        if not (re.fullmatch(signs + "{1,128}", key) and re.fullmatch(signs + "{0,256}", text)):
            break
    else:
        if len(value) <= 1:
            return value
    raise PydanticCustomError(
        "tag",
        "must be one tag, a key of 1 to 128 and a value of at most 256 letters, digits, spaces and"
        " _.:/=+-@",
    )


OneTag = Annotated[
    dict[str, str],
    AfterValidator(_one_tag),
    WithJsonSchema(
        {
            "type": "object",
            "maxProperties": 1,
            "propertyNames": {"pattern": "^[0-9A-Za-z_.:/=+@ -]{1,128}$"},
            "additionalProperties": {
                "type": "string",
                "pattern": "^[0-9A-Za-z_.:/=+@ -]{0,256}$",
            },
        }
    ),
]


def is_in_account_namespace(bucket: str) -> bool:
    """Tell whether a bucket's name is in an account's own namespace (``-ACCOUNT_ID-REGION-an``)."""
    return re.search(_OF_A_NAMESPACE, bucket) is not None
