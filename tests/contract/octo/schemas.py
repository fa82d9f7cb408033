"""JSON Schemas of Octo's messages, written from the published protobuf of its cover service.

Strict: a gateway that writes every field writes exactly these.
"""

from __future__ import annotations

from typing import Any


def message(**fields: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": sorted(fields),
        "properties": fields,
        "additionalProperties": False,
    }


TEXT = {"type": "string"}
FLAG = {"type": "boolean"}
ABSENT = {"type": "null"}
ACCOUNT = {"type": "string", "pattern": "^[0-9]{12}$"}
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}

REGISTRATION_STATUS = message(
    apiAccess=FLAG,
    cloudwatchStreaming=FLAG,
    curExport=FLAG,
    payer=FLAG,
    stackSet=FLAG,
    transferAccount=FLAG,
    isDataAvailable=FLAG,
)
ACCOUNT_ACCESS = message(
    target=ACCOUNT,
    accountName=TEXT,
    accountType={"enum": ["", "payer", "linked"]},
    payerId=TEXT,
    roleArn=TEXT,
    externalId=TEXT,
    stackId=TEXT,
    stackRegion=TEXT,
    templateUrl=TEXT,
    bucketName=TEXT,
    prefix=TEXT,
    reportName=TEXT,
    registrationStatus=REGISTRATION_STATUS,
    status=TEXT,
    lastUpdated=TIME,
)
AWS_OPTIONS = message(
    AccountName=TEXT,
    PayerId=TEXT,
    RoleArn=TEXT,
    ExternalId=TEXT,
    StackId=TEXT,
    StackRegion=TEXT,
    TemplateUrl=TEXT,
    BucketName=TEXT,
    Prefix=TEXT,
    ReportName=TEXT,
    registrationStatus=REGISTRATION_STATUS,
    Status=TEXT,
    RegistrationMethod={"enum": ["console", "terraform"]},
    templateVersion=TEXT,
)
DATA_ACCESS = message(
    target=ACCOUNT,
    orgId=TEXT,
    gcpOptions=ABSENT,
    azureOptions=ABSENT,
    awsOptions=AWS_OPTIONS,
    accountType={"enum": ["", "payer", "linked"]},
    lastUpdate=TIME,
    createTime=TIME,
    vendor={"const": "aws"},
)
STREAMED = message(result=DATA_ACCESS)
ERROR = message(
    code={"type": "integer", "minimum": 1, "maximum": 16},
    message=TEXT,
    details={"type": "array"},
)
STREAMED_ERROR = message(error=ERROR)
TEMPLATE = message(
    launchUrl={"type": "string", "pattern": "^https://console.aws.amazon.com/cloudformation/home"},
    templateUrl={"type": "string", "pattern": "^https://"},
    stackName=TEXT,
    principal=ACCOUNT,
    externalId=TEXT,
    templateVersion=TEXT,
)
TOKEN = message(
    access_token=TEXT,
    token_type={"const": "Bearer"},
    expires_in={"type": "integer", "exclusiveMinimum": 0},
)
EMPTY = message()
DELETED = message(targetId=ACCOUNT)
OPERATION = {"type": "object", "required": ["name", "done"]}
USER = {"type": "object", "required": ["userData"], "properties": {"userData": {"type": "object"}}}
