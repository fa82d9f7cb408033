"""Get the template of a call: its body, or an object in S3.

Source: CloudFormation API Reference, CreateStack, TemplateBody and TemplateURL; recorded errors.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from orchestrator.sandbox.authorization import authorize
from orchestrator.sandbox.stack_arguments import invalid
from orchestrator.sandbox.state import SandboxState, bucket_owner, s3
from orchestrator.sandbox.wire import Call, ServiceError

_BODY_BYTES, _URL_BYTES = 51_200, 1_000_000
_GLOBAL_REGION = "us-east-1"
# https://<bucket>.s3.<region>.amazonaws.com/<key>, or the bucket in the path, or no region.
_S3_HOST = re.compile(
    r"(?:(?P<bucket>[a-z0-9.-]+?)\.)?s3(?:[.-](?:dualstack\.)?(?P<region>[a-z]+-[a-z0-9-]+))?"
    r"\.amazonaws\.com"
)


def body_of(state: SandboxState, call: Call, previous: str = "") -> str:
    """Get a call's template: its body, an object in S3 that the caller may read, or ``previous``.

    Raises:
        ServiceError: the template is too large, cannot be read, is missing, or given twice.
    """
    arguments = call.parameters
    given = {"TemplateBody", "TemplateURL"} & arguments.keys()
    if arguments.get("UsePreviousTemplate"):
        if given:
            raise invalid(
                "You cannot specify both usePreviousTemplate and Template Body/Template URL."
            )
        if previous:
            return previous
    if len(given) > 1:
        raise invalid("You cannot specify both Template Body and Template URL.")
    if "TemplateBody" in arguments:
        body = str(arguments["TemplateBody"])
        if len(body.encode()) > _BODY_BYTES:
            raise invalid(
                f"1 validation error detected: Value '{body}' at 'templateBody' failed to satisfy"
                f" constraint: Member must have length less than or equal to {_BODY_BYTES}"
            )
        return body
    if "TemplateURL" not in arguments:
        raise invalid("Either Template URL or Template Body must be specified.")
    url = urlsplit(arguments["TemplateURL"])
    host = _S3_HOST.fullmatch(url.hostname or "")
    if url.scheme == "s3":
        raise invalid(f"S3 error: Domain name specified in {url.hostname} is not a valid S3 domain")
    if url.scheme != "https" or host is None:
        raise invalid("TemplateURL must be a supported URL.")
    path = unquote(url.path).lstrip("/")
    bucket, key = (host["bucket"], path) if host["bucket"] else path.split("/", 1)
    owner = bucket_owner(bucket)
    if owner is None:
        raise _s3_error("The specified bucket does not exist")
    if s3(owner).get_bucket(bucket).region_name != (host["region"] or _GLOBAL_REGION):
        raise _s3_error(
            "The bucket you are attempting to access must be addressed using the specified"
            " endpoint."
        )
    reading = Call(
        "s3",
        "GetObject",
        host["region"] or _GLOBAL_REGION,
        call.caller,
        {},
        {"Bucket": bucket, "Key": key},
    )
    try:
        authorize(state, reading)
    except ServiceError:
        raise _s3_error("Access Denied") from None
    found = s3(owner).get_object(bucket, key)
    if found is None:
        raise _s3_error("The specified key does not exist.")
    content: bytes = found.value
    if len(content) > _URL_BYTES:
        raise invalid(f"Template may not exceed {_URL_BYTES} bytes in size.")
    return content.decode()


def _s3_error(message: str) -> ServiceError:
    return invalid(
        f"S3 error: {message}\nFor more information check"
        " http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
    )
