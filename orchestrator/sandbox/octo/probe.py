"""Probe an account as Octo does: real calls to the sandbox's AWS, as Octo's principal.

Nothing here holds the sandbox state's lock, since the calls go to the same server.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.sandbox.state import AccessKey

ROLE, CUR_ROLE = "AlphausAcctAccessRole", "AlphausAcctAccessCurRole"
_ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=20)
_REGION = "us-east-1"
_PARALLEL = 8


class ProbeError(Exception):
    """A probe failed; the text says what was tried, without the external id."""


@dataclass(frozen=True)
class Identity:
    """An account's type and payer; a payer's or standalone account's ``payer_id`` is its own."""

    account_type: str
    payer_id: str


@dataclass(frozen=True)
class Export:
    """A report definition, and whether a delivered manifest could be read."""

    bucket: str
    prefix: str
    report: str
    delivered: bool


class Principal:
    """Octo's principal in AWS, at the sandbox's endpoint."""

    def __init__(self, endpoint_url: str, key: AccessKey) -> None:
        self._endpoint_url = endpoint_url
        # Shared, since loading its models takes long; Any, since the service is a variable.
        self._session: Any = boto3.Session(region_name=_REGION)
        self._lock = threading.Lock()  # creating a client is not thread-safe
        self._sts = self._client("sts", key.key_id, key.secret)

    def identify(self, account_id: str, external_id: str) -> Identity:
        """Assume the API access role and read the organization through it.

        Raises:
            ProbeError: the role cannot be assumed, or lacks the permission.
        """
        organizations = self.session(account_id, ROLE, external_id)("organizations")
        try:
            management = organizations.describe_organization()["Organization"]["MasterAccountId"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "AWSOrganizationsNotInUseException":
                return Identity("payer", account_id)
            raise _failed("ask for the organization", error) from None
        except BotoCoreError as error:
            raise _failed("ask for the organization", error) from None
        return Identity("payer" if management == account_id else "linked", str(management))

    def exports(
        self, account_id: str, external_id: str, *, for_cur_role: bool = True
    ) -> list[Export]:
        """Read every report definition of the account and its bucket by the CUR role.

        ``for_cur_role``: whether the external id is presented for that role too.

        Raises:
            ProbeError: there is no report, or its bucket cannot be read.
        """
        cur = self.session(account_id, ROLE, external_id)("cur")
        try:
            definitions = cur.describe_report_definitions()["ReportDefinitions"]
        except (ClientError, BotoCoreError) as error:
            raise _failed("list the report definitions", error) from None
        if not definitions:
            raise ProbeError("the account has no Cost and Usage Report")
        client = self.session(account_id, CUR_ROLE, external_id if for_cur_role else None)
        return [_export(client("s3"), definition) for definition in definitions]

    def members(self, account_id: str, external_id: str) -> list[tuple[str, str]]:
        """List the active linked accounts (id, name) by the payer's role.

        Raises:
            ProbeError: the organization cannot be listed.
        """
        organizations = self.session(account_id, ROLE, external_id)("organizations")
        try:
            pages = organizations.get_paginator("list_accounts").paginate()
            found = [account for page in pages for account in page["Accounts"]]
        except (ClientError, BotoCoreError) as error:
            raise _failed("list the organization's accounts", error) from None
        return [
            (account["Id"], account["Name"])
            for account in found
            if is_active(account) and account["Id"] != account_id
        ]

    def reachable(self, account_ids: Iterable[str], external_id: str) -> set[str]:
        """Get the accounts whose API access role can be assumed."""

        def is_reachable(account_id: str) -> bool:
            try:
                self.session(account_id, ROLE, external_id)
            except ProbeError:
                return False
            return True

        wanted = list(account_ids)
        with ThreadPoolExecutor(max_workers=_PARALLEL) as pool:
            answers = pool.map(is_reachable, wanted)
            return {a for a, reachable in zip(wanted, answers, strict=True) if reachable}

    def stack_of(self, account_id: str, external_id: str) -> str:
        """Find the stack that made the API access role, by that role; "" if none did.

        The role is looked for in the region where Octo's launch link creates the stack.
        """
        client = self.session(account_id, ROLE, external_id)("cloudformation")
        try:
            found = client.describe_stack_resources(PhysicalResourceId=ROLE)["StackResources"]
        except (ClientError, BotoCoreError):
            return ""
        return str(found[0]["StackId"]) if found else ""

    def update_stack(
        self, account_id: str, external_id: str, stack_id: str, template_url: str
    ) -> None:
        """Start to update a stack by the API access role; parameters keep their values.

        The template's version is the new template's own.

        Raises:
            ProbeError: the role cannot be assumed, or may not update the stack.
        """
        region = stack_id.split(":")[3]
        client = self.session(account_id, ROLE, external_id)("cloudformation", region)
        try:
            stack = client.describe_stacks(StackName=stack_id)["Stacks"][0]
            client.update_stack(
                StackName=stack_id,
                TemplateURL=template_url,
                Parameters=[
                    {"ParameterKey": name, "UsePreviousValue": True}
                    for name in (p["ParameterKey"] for p in stack.get("Parameters", []))
                    if name != "TemplateVersion"
                ],
                Capabilities=["CAPABILITY_NAMED_IAM"],
            )
        except (ClientError, BotoCoreError) as error:
            raise _failed(f"update {stack_id}", error) from None

    def session(self, account_id: str, role: str, external_id: str | None) -> Callable[..., Any]:
        """Assume a role; return a function that makes clients of it, by service and region.

        Raises:
            ProbeError: the role cannot be assumed.
        """
        arn = f"arn:aws:iam::{account_id}:role/{role}"
        presented = {"ExternalId": external_id} if external_id else {}
        try:
            keys = self._sts.assume_role(RoleArn=arn, RoleSessionName="octo", **presented)[
                "Credentials"
            ]
        except (ClientError, BotoCoreError) as error:
            raise _failed(f"assume {arn}", error) from None

        def client(service: str, region: str = _REGION) -> Any:
            return self._client(
                service,
                keys["AccessKeyId"],
                keys["SecretAccessKey"],
                keys["SessionToken"],
                region,
            )

        return client

    def _client(
        self,
        service: str,
        key_id: str,
        secret: str,
        token: str | None = None,
        region: str = _REGION,
    ) -> Any:
        with self._lock:
            return self._session.client(
                service,
                region_name=region,
                endpoint_url=self._endpoint_url,
                config=_ONCE,
                aws_access_key_id=key_id,
                aws_secret_access_key=secret,
                aws_session_token=token,
            )


def is_active(account: dict[str, str]) -> bool:
    """Whether an account of Organizations is active by ``State``, or by the older ``Status``."""
    return account.get("State", account.get("Status")) == "ACTIVE"


def _export(s3: Any, definition: dict[str, Any]) -> Export:
    bucket, prefix = definition["S3Bucket"], definition["S3Prefix"]
    report = definition["ReportName"]
    found = Export(bucket, prefix, report, delivered=False)
    try:
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/{report}/")
        keys = [entry["Key"] for entry in listed.get("Contents", [])]
        manifests = [key for key in keys if key.endswith("-Manifest.json")]
        if not manifests:
            return found
        body = s3.get_object(Bucket=bucket, Key=manifests[-1])["Body"].read()
        names_report = json.loads(body).get("reportName") == report
        return Export(bucket, prefix, report, delivered=names_report)
    except (ClientError, BotoCoreError) as error:
        raise _failed(f"read bucket {bucket}", error) from None


def _failed(doing: str, error: ClientError | BotoCoreError) -> ProbeError:
    code = (
        error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
    )
    return ProbeError(f"cannot {doing}: {code}")
