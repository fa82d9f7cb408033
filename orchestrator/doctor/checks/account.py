"""account: the credentials belong to the account of octo.yaml."""

from orchestrator.aws.identity import identify
from orchestrator.doctor.model import DoctorCheck, DoctorContext, DoctorResult, ok


def _run(context: DoctorContext) -> DoctorResult:
    registration, aws = context.configured()
    account = identify(aws, registration.account_id, declared_type=registration.account_type)
    return ok(f"Account {account.account_id} is a {account.account_type} account.")


CHECK = DoctorCheck("account", _run)
