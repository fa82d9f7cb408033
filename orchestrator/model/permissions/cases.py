"""The options on which permissions depend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.model.permissions.scope import Scope


@dataclass(frozen=True)
class Case:
    """A condition on the chosen options, and how the documentation says it."""

    text: str
    holds: Callable[[Scope], bool]

    def __and__(self, other: Case) -> Case:
        """Return the case that both hold."""
        return Case(
            f"{self.text}, {other.text}", lambda scope: self.holds(scope) and other.holds(scope)
        )


ALWAYS = Case("", lambda _scope: True)
REPORT = Case("payer and standalone accounts", lambda s: s.has_report)
NEW_REPORT = Case("`cur_report_option: CREATE_NEW`", lambda s: s.makes_report)
PAYER = Case("payers", lambda s: s.is_payer)
NEW_BUCKET = Case(
    "`cur_s3_bucket_option: CREATE_NEW`", lambda s: s.makes_report and s.inputs.bucket_is_new
)
EXISTING_BUCKET = Case(
    "`cur_s3_bucket_option: USE_EXISTING`", lambda s: s.makes_report and not s.inputs.bucket_is_new
)
OF_ITS_OWNER = Case(
    "an existing bucket, or that of an existing report",
    lambda s: s.has_report and not (s.makes_report and s.inputs.bucket_is_new),
)
MERGE = Case(
    "`cur_s3_bucket_merge_policy`",
    lambda s: s.makes_report and s.inputs.cur_s3_bucket_merge_policy,
)
DELETE_BUCKET = Case("`--delete-bucket`", lambda s: s.inputs.bucket_is_new and s.deletes_bucket)
DELETE_DATA = Case("`--delete-data`", lambda s: s.inputs.bucket_is_new and s.deletes_data)
STACKSET = Case("`use_stackset`", lambda s: s.has_stackset)
ENABLE_ACCESS = Case("`--enable-trusted-access`", lambda s: s.has_stackset and s.enables_access)
TAGS = Case("`tags`", lambda s: bool(s.inputs.tags))
RECOMMENDATIONS = Case(
    "feature `recommendations`",
    lambda s: "recommendations" in s.inputs.features and s.partition == "aws",
)
ENROLMENT = Case("feature `recommendations`, not `enrolment: none`", lambda s: s.enrols)
MEMBERS = Case(
    "`enrolment: organization`",
    lambda s: s.enrols and s.registration.enrolment == "organization",
)
END_ENROLMENT = Case("`--with-enrolments`", lambda s: s.enrols and s.ends_enrolments)
# Version 6 of the provider reads and writes a bucket's tags by S3 Control, since 6.23.
PROVIDER_6 = Case("`provider_version` 6", lambda s: s.admits_provider(">= 6.0.0"))
