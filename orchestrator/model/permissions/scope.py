"""What the least permissions depend on: the chosen options, and the ARNs of what they concern."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from orchestrator.model.account import AccountType
from orchestrator.model.enrolment import SERVICES, AwsService
from orchestrator.model.module_contract import documents, octo_names
from orchestrator.model.module_contract.features import enrolments, feature_roles, table
from orchestrator.model.module_contract.inputs import Inputs, module_inputs
from orchestrator.model.partition import partition_of_region
from orchestrator.model.registration import Registration, S3Backend
from orchestrator.model.version_constraint import Constraint

Condition = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True)
class Scope:
    """An account with its options.

    Attributes:
        deletes_bucket: whether ``destroy`` deletes the bucket (``--delete-bucket``).
        deletes_data: whether it deletes the bucket's objects too (``--delete-data``).
        bucket_key: the ARN of the KMS key that encrypts an existing bucket; empty without one.
        enables_access: whether ``--enable-trusted-access`` is given.
        ends_enrolments: whether ``destroy`` ends enrolments (``--with-enrolments``).
        released_stacks: the CloudFormation stacks that ``adopt`` releases.
        removed_roles: the leftover roles that ``adopt`` deletes.
    """

    registration: Registration
    account_type: AccountType
    deletes_bucket: bool = False
    deletes_data: bool = False
    bucket_key: str = ""
    enables_access: bool = False
    ends_enrolments: bool = False
    released_stacks: tuple[str, ...] = ()
    removed_roles: tuple[str, ...] = ()

    @cached_property
    def inputs(self) -> Inputs:
        """The module's inputs."""
        return module_inputs(self.registration)

    @property
    def partition(self) -> str:
        """The account's partition, by the region of octo.yaml."""
        return partition_of_region(self.registration.region)

    @property
    def account(self) -> str:
        """The account's id."""
        return self.registration.account_id

    @property
    def is_payer(self) -> bool:
        """Whether the account is an organization's management account."""
        return self.account_type == "payer"

    @property
    def has_report(self) -> bool:
        """Whether the account has a Cost and Usage Report; a linked account's is its payer's."""
        return self.account_type != "linked"

    @property
    def makes_report(self) -> bool:
        """Whether the module makes the report; an existing one is read as it is."""
        return self.has_report and self.inputs.cur_report_option == "CREATE_NEW"

    @property
    def enrols(self) -> bool:
        """Whether octo-tf enrols the account in AWS services."""
        wanted = self.registration.enrolment != "none" and self.partition == "aws"
        return wanted and bool(self.services)

    @property
    def services(self) -> list[AwsService]:
        """The services that the features need an enrolment in."""
        return [SERVICES[name] for name in enrolments(self.inputs.features)]

    @property
    def has_stackset(self) -> bool:
        """Whether the account gives Octo access to linked accounts by a StackSet."""
        return self.is_payer and self.registration.use_stackset

    @property
    def backend(self) -> S3Backend | None:
        """The state's place in S3, if the account's own caller reaches it."""
        backend, own = self.registration.backend, self.registration.credentials.profile
        if isinstance(backend, S3Backend) and backend.profile in (None, own):
            return backend
        return None

    @property
    def boundary(self) -> str | None:
        """The ARN of the boundary that the account's owner has set; it bounds every role."""
        return self.inputs.permissions_boundary

    @property
    def executes(self) -> bool:
        """Whether Octo may carry out changes."""
        return "execution" in self.inputs.features

    @property
    def own_boundary(self) -> bool:
        """Whether the module makes a boundary of its own, for the roles of execution."""
        return self.executes and self.boundary is None

    @property
    def additional_policies(self) -> list[str]:
        """The ARNs of the managed policies that ``additional_actions`` need, if any."""
        policies = documents.role_policies(
            self.inputs, self.inputs.features, partition=self.partition, account_id=self.account
        )
        names = filter(octo_names.is_managed, policies[octo_names.API_ROLE])
        return [self.arn("iam", f"policy/{name}") for name in names]

    @property
    def roles(self) -> list[str]:
        """The names of Octo's roles in the account."""
        own = [octo_names.API_ROLE, *([octo_names.CUR_ROLE] if self.has_report else [])]
        return [*own, *feature_roles(self.inputs.features)]

    @property
    def bounded_roles(self) -> list[str]:
        """The names of the roles that a boundary limits: all by the owner's, else execution's."""
        of_execution = table().features["execution"].roles
        return [role for role in self.roles if self.boundary or role in of_execution]

    @property
    def unbounded_roles(self) -> list[str]:
        """The names of the roles that no boundary limits."""
        return [role for role in self.roles if role not in self.bounded_roles]

    @property
    def other_roles(self) -> list[str]:
        """The names of roles that an adoption looks for besides."""
        known = {*table().roles, *octo_names.OTHER_ROLES, *self.removed_roles}
        return sorted(known.difference(self.roles))

    def admits_provider(self, versions: str) -> bool:
        """Tell whether provider_version admits one of these versions, like ``>= 6.0.0``."""
        wanted = Constraint.parse(self.registration.provider_version)
        return wanted.overlaps(Constraint.parse(versions))

    def arn(
        self, service: str, resource: str, *, region: str = "", account: str | None = None
    ) -> str:
        """Return an ARN in the account's partition."""
        owner = self.account if account is None else account
        return f"arn:{self.partition}:{service}:{region}:{owner}:{resource}"
