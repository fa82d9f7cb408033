"""AWS as the use cases see it: the port through which they read and change an account.

``Cloud.observation`` is what the run has read of the account, each fact once: identification,
planning, the stacks of the console path and a verification of what is unchanged share it. Whoever
changes something, or waits for a change, observes again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from orchestrator.adoption import stack_release
from orchestrator.app import snapshot
from orchestrator.app.snapshot import Snapshot
from orchestrator.aws import cloudformation, cur, enrolment, iam, organizations, s3
from orchestrator.aws.errors import explained
from orchestrator.aws.identity import identify, reach
from orchestrator.aws.session import Aws, connect
from orchestrator.cancellation import Cancellation
from orchestrator.detection import imports, limits
from orchestrator.errors import AccessDenied
from orchestrator.model.account import Account
from orchestrator.model.desired import Desired
from orchestrator.model.enrolment import SERVICES, Enrolment, ServiceName
from orchestrator.model.existing_report import ReportDefinition
from orchestrator.model.external_ids import NO_ROTATION, Acceptance
from orchestrator.model.linked_accounts import LinkedAccounts
from orchestrator.model.module_contract.inputs import module_inputs
from orchestrator.model.module_contract.outputs import Outputs
from orchestrator.model.observed import Document, OwningStack, Role
from orchestrator.model.organization import Organization
from orchestrator.model.registration import Registration
from orchestrator.model.stackset import StackSet
from orchestrator.stackset import deployments, examination, guardrails, preflight
from orchestrator.stackset.deployments import OnProgress, PendingDeployments
from orchestrator.stackset.examination import Examination
from orchestrator.stackset.guardrails import Guardrails
from orchestrator.stackset.observation import observe
from orchestrator.terraform.plan import Plan
from orchestrator.verify.model import Context, Report
from orchestrator.verify.runner import verify


class Cloud:
    """One account in AWS.

    Args:
        principal_profile: the AWS profile of Octo's principal account, where it is at hand.
        warn: called with a sentence about a call that is tried again.
        on_question: called before a person is asked for an MFA code.
    """

    def __init__(
        self,
        registration: Registration,
        *,
        principal_profile: str | None = None,
        cancellation: Cancellation | None = None,
        warn: Callable[[str], None] = lambda _sentence: None,
        on_question: Callable[[str], None] = lambda _question: None,
    ) -> None:
        self._warn = warn
        self._on_question = on_question
        self._registration = registration
        self._principal_profile = principal_profile
        self._cancellation = cancellation or Cancellation()
        self._aws: Aws | None = None
        self._observation: Aws | None = None

    def connect(self) -> Aws:
        """Return the connection, made by the first call; AWS is called only to assume a role.

        Raises:
            AwsError: there are no credentials, or the role may not be assumed.
        """
        if self._aws is None:
            self._aws = reach(
                self._registration.region,
                self._registration.credentials,
                on_question=self._on_question,
            )
        return self._aws

    def environment(self, folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
        """Return what Terraform's environment needs besides; see ``Aws.environment``."""
        with explained("handing the session to Terraform"):
            return self.connect().base.environment(folder, environ)

    def observation(self) -> Aws:
        """Return calls as the account, in the current observation; the first call begins one.

        Raises:
            AwsError: there are no credentials, or the role may not be assumed.
        """
        if self._observation is None:
            self._observation = self.connect().observe()
        return self._observation

    def observe_again(self) -> None:
        """Start a new observation: what was read so far may have changed since."""
        self._observation = None

    def identify(self) -> Account:
        """Make sure that the credentials belong to the account that was meant.

        Raises:
            ConfigError: the declared type is not what AWS says.
            AwsError: AWS cannot be asked, or the type stays unknown.
        """
        return identify(
            self.observation(),
            self._registration.account_id,
            declared_type=self._registration.account_type,
        )

    def bucket_has_policy(self, bucket: str) -> bool:
        """Tell whether a bucket of this account has a policy now."""
        with explained(f"reading the policy of bucket {bucket}"):
            return s3.bucket_policy(self.connect(), bucket) is not None

    def check_bucket(self, bucket: str) -> None:
        """Refuse a bucket of another account; see ``limits.check_bucket``."""
        with explained(f"reading the region of bucket {bucket}"):
            limits.check_bucket(self.connect(), bucket, self._registration.account_id)

    def reports(self) -> list[ReportDefinition]:
        """List the account's Cost and Usage Reports (CUR API)."""
        with explained("reading the account's reports"):
            return [*cur.list_reports(self.observation())]

    @property
    def stackset_name(self) -> str:
        """The StackSet's name."""
        return module_inputs(self._registration).stackset_name

    def has_stackset(self) -> bool:
        """Tell whether AWS has a StackSet of that name."""
        return self.describe_stack_set() is not None

    def describe_stack_set(self) -> StackSet | None:
        """Read the StackSet's settings, without its stack instances; None if there is none."""
        with explained(f"reading StackSet {self.stackset_name}"):
            return cloudformation.describe_stack_set(self.connect(), self.stackset_name)

    def targets(self) -> tuple[str, ...]:
        """Name the OUs to deploy to: octo.yaml's, or the organization's root."""
        if self._registration.stackset_targets:
            return tuple(sorted(set(self._registration.stackset_targets)))
        with explained("reading the organization's root"):
            return (organizations.root_id(self.observation()),)

    def observe_linked_accounts(self, known: Organization | None = None) -> LinkedAccounts:
        """Read the organization and the StackSet, and compare the two.

        Args:
            known: the organization, where it was read before in this run; the StackSet is then
                read again.
        """
        return observe(self.connect() if known else self.observation(), self._registration, known)

    def check_linked_accounts(
        self, account: Account, linked: LinkedAccounts, *, may_enable: bool, deploying: bool
    ) -> preflight.Preflight:
        """Look for what would make a deployment to linked accounts fail; ``preflight.check``."""
        return preflight.check(
            self.observation(),
            self._registration,
            account,
            linked,
            may_enable=may_enable,
            deploying=deploying,
        )

    def examine(self, account: Account, linked: LinkedAccounts | None) -> Examination:
        """Look for everything that would refuse a deployment; see ``examination.examine``."""
        return examination.examine(self.observation(), self._registration, account, linked)

    def predict_removal(self, linked: LinkedAccounts, accounts: Collection[str]) -> Guardrails:
        """Predict what the organization's policies deny in accounts that lose the role."""
        return guardrails.predict(
            self.observation(),
            self._registration,
            linked.organization,
            deployed_to=(),
            used=accounts,
        )

    def predict(self, linked: LinkedAccounts) -> Guardrails:
        """Predict what the organization's policies deny; see ``preflight.predict``."""
        return preflight.predict(self.observation(), self._registration, linked)

    def switch_on_trusted_access(self, account_id: str) -> None:
        """Let CloudFormation deploy into the organization (ActivateOrganizationsAccess)."""
        preflight.enable_access(self.connect(), account_id)

    def deploy(
        self, pending: PendingDeployments, linked: LinkedAccounts, *, on_progress: OnProgress
    ) -> None:
        """Bring single linked accounts in line; a failure in one of them is no error here.

        Raises:
            AwsError: AWS refused, or somebody stopped the operation.
        """
        retain = self._registration.stackset_retain_stacks is not False
        self._deploy(pending, linked, retain=retain, on_progress=on_progress)

    def delete_stacks(
        self, linked: LinkedAccounts, *, retain: bool, on_progress: OnProgress
    ) -> None:
        """Delete every stack instance of the StackSet; the failure of one account does not raise.

        Args:
            retain: whether the accounts keep their stacks, and so the role.
            on_progress: called with each account's status whenever it is read.
        """
        instances = linked.deployed.instances if linked.deployed else ()
        work = PendingDeployments(remove=tuple(sorted(instances)))
        self._deploy(work, linked, retain=retain, on_progress=on_progress)

    def _deploy(
        self,
        work: PendingDeployments,
        linked: LinkedAccounts,
        *,
        retain: bool,
        on_progress: OnProgress,
    ) -> None:
        if work and linked.deployed:
            with explained(f"StackSet {self.stackset_name}"):
                deployments.carry_out(
                    self.connect(),
                    self.stackset_name,
                    work,
                    linked.organization,
                    linked.deployed,
                    retain=retain,
                    on_progress=on_progress,
                )

    def wait_for_deployments(self, *, on_progress: OnProgress) -> None:
        """Wait for the StackSet operations that are running, whoever started them."""
        with explained(f"StackSet {self.stackset_name}"):
            for operation in reversed(self._running()):
                deployments.wait(
                    self.connect(),
                    self.stackset_name,
                    operation,
                    on_progress,
                    sleep=self._cancellation.sleep,
                )

    def running_operation(self) -> str | None:
        """Return the id of a StackSet operation that is running, whoever started it, or None."""
        if not self.has_stackset():
            return None
        with explained(f"StackSet {self.stackset_name}"):
            return next(iter(self._running()), None)

    def _running(self) -> list[str]:
        found = cloudformation.list_operations(self.connect(), self.stackset_name)
        return [operation.id for operation in found if operation.is_running]

    def newest_deployment(self) -> tuple[str, dict[str, tuple[str, str]]] | None:
        """Read the newest StackSet operation: its action, and each account's status and reason.

        None where there is no StackSet or operation yet, or AWS cannot tell now.
        """
        return cloudformation.newest_operation(self.connect(), self.stackset_name)

    def bucket_region(self, bucket: str) -> str | None:
        """Read the region of a bucket of this account; None if there is no such bucket.

        Raises:
            AccessDenied: it belongs to another account, or may not be read.
        """
        with explained(f"reading the region of bucket {bucket}"):
            return s3.bucket_region(self.connect(), bucket, self._registration.account_id)

    def bucket_is_empty(self, bucket: str, region: str) -> bool:
        """Tell whether a bucket has no object, old version or delete marker."""
        with explained(f"reading bucket {bucket}"):
            return s3.is_empty(self.connect(), bucket, region)

    def delete_bucket(self, bucket: str, region: str, *, with_data: bool) -> None:
        """Delete a bucket of this account; one with objects only ``with_data``."""
        with explained(f"deleting bucket {bucket}"):
            if with_data:
                s3.empty_bucket(self.connect(), bucket, region, self._registration.account_id)
            s3.delete_bucket(self.connect(), bucket, region, self._registration.account_id)

    def lacks_trusted_access(self) -> bool:
        """Tell whether CloudFormation may not deploy into the organization yet."""
        with explained("reading CloudFormation's access to the organization"):
            return cloudformation.trusted_access(self.connect()) != "ENABLED"

    def bucket_creation_dates(self) -> dict[str, str]:
        """Read when each bucket of the account was created, in ISO 8601, by name."""
        with explained("reading the account's buckets"):
            return {n: date.isoformat() for n, date in s3.creation_dates(self.connect()).items()}

    def release_stack(self, name: str, region: str) -> None:
        """Delete a CloudFormation stack and keep its resources; see ``stack_release.release``.

        Raises:
            OctoTfError: the stack could not be updated or deleted; its resources are as they were.
        """
        with explained(f"releasing stack {name}"):
            stack_release.release(self.connect(), name, region, sleep=self._cancellation.sleep)

    def enrolment(
        self, service: ServiceName, *, members: bool = False, again: bool = False
    ) -> Enrolment:
        """Read the account's enrolment in a service, and with ``members`` those of its members.

        ``again``: after a change, not as the run began.
        """
        with explained(f"reading the enrolment in {SERVICES[service].label}"):
            aws = self.connect() if again else self.observation()
            return enrolment.read(aws, service, members=members)

    def enrol(self, service: ServiceName, *, members: bool) -> None:
        """Enrol the account in a service, with ``members`` a payer and its members."""
        with explained(f"enrolling in {SERVICES[service].label}"):
            enrolment.begin(self.connect(), service, members=members)

    def end_enrolment(self, service: ServiceName, *, members: bool) -> None:
        """End the account's enrolment, with ``members`` also those of a payer's members."""
        with explained(f"ending the enrolment in {SERVICES[service].label}"):
            enrolment.end(self.connect(), service, members=members)

    def delete_service_role(self, service: ServiceName) -> None:
        """Delete the service-linked role of a service; no error if it is gone."""
        with explained(f"deleting the service-linked role of {SERVICES[service].label}"):
            enrolment.delete_role(self.connect(), service, sleep=self._cancellation.sleep)

    def delete_role(self, name: str) -> None:
        """Delete a role with its policies; no error if it is gone."""
        with explained(f"deleting role {name}"):
            iam.delete_role(self.connect(), name)

    def read_policies(self, arns: Collection[str]) -> dict[str, Document | None]:
        """Read managed policies by ARN; None for one that may not be read, or is not there."""
        with explained("reading managed policies"):
            return {arn: iam.managed_document(self.observation(), arn) for arn in sorted(arns)}

    def describe_role(self, name: str) -> Role | None:
        """Read a role with all its policies; None if there is none of that name."""
        with explained(f"reading role {name}"):
            return iam.describe_role(self.observation(), name)

    def owning_stacks(self, names: Collection[str]) -> Mapping[str, OwningStack]:
        """Find the CloudFormation stacks that own roles, by name; none if that is denied."""
        with suppress(AccessDenied), explained("looking for the stacks of roles"):
            return cloudformation.owning_stacks(self.connect(), names).stacks
        return {}

    def stack_parameters(self, stack_id: str, region: str) -> dict[str, str]:
        """Read a stack's parameters by name; they may hold the external id."""
        found = cloudformation.describe_stack(self.connect(), stack_id, region)
        return cloudformation.parameters(found.get("Parameters", [])) if found else {}

    def stack_status(self, stack_id: str, region: str) -> cloudformation.StackStatus:
        """Read a stack's status, and when it was last updated."""
        with explained("reading a stack"):
            return cloudformation.stack_status(self.connect(), stack_id, region)

    def read_public_template(self, url: str) -> str:
        """Read a CloudFormation template in S3 that everybody may read."""
        with explained("reading a template"):
            return s3.read_public_template(self.connect(), url)

    def take_snapshot(self, outputs: Outputs, report: Report) -> Snapshot:
        """Read the ids of what Octo depends on, next to what was verified; ``snapshot.take``."""
        return snapshot.take(report.observed or self.connect(), outputs, report)

    def find_existing(
        self,
        plan: Plan,
        rules: imports.ImportRules,
        *,
        read: Callable[[], Mapping[str, Mapping[str, Any]]],
    ) -> dict[str, str]:
        """Return import ids, by address, of planned resources that exist; see ``imports.find``."""
        inputs = module_inputs(self._registration)
        with explained("reading what is there"):
            limits.check_plan(self.observation(), plan, inputs, read=read)
            ids = imports.find(self.observation(), plan, inputs, rules, read=read)
            limits.check_roles(self.observation(), plan, ids)
            return ids

    def checks_context(
        self, outputs: Outputs, external_id: str, acceptance: Acceptance = NO_ROTATION
    ) -> Context:
        """Return the context of the checks: what the account should have, and how AWS is read.

        With a profile of Octo's principal account, the checks connect as that too.
        """
        region, profile = self._registration.region, self._principal_profile
        with explained("connecting as Octo's principal"):
            principal = connect(region=region, profile=profile) if profile else None
        own_profile = self._registration.credentials.cli_profile
        desired = Desired(outputs, external_id, acceptance, own_profile)
        return Context(desired, self.observation(), principal, time.time)

    def verify(
        self,
        outputs: Outputs,
        external_id: str,
        acceptance: Acceptance = NO_ROTATION,
        *,
        unchanged: bool = False,
        wait_seconds: float = 0.0,
        settle_seconds: float = 0.0,
    ) -> Report:
        """Run every check that applies; see ``runner.verify``.

        ``unchanged``: nothing was changed since the account was identified, so that what was read
        since then is not read again.
        """
        if not unchanged:
            self.observe_again()
        return verify(
            self.checks_context(outputs, external_id, acceptance),
            account_name=self._registration.account_name or "",
            wait_seconds=wait_seconds,
            settle_seconds=settle_seconds,
            sleep=self._cancellation.sleep,
            warn=self._warn,
        )
