"""account: the credentials belong to the account of octo.yaml, and its regions to the partition."""

from orchestrator.doctor.model import DoctorCheck, DoctorContext, DoctorResult, ok, problem
from orchestrator.model import partition


def _run(context: DoctorContext) -> DoctorResult:
    registration, _, account = context.identified()
    if found := partition.mismatch(registration, account):
        return problem(f"{context.place_of(found.setting)}: {found.what}", found.hint)
    return ok(f"Account {account.account_id} is a {account.account_type} account.")


CHECK = DoctorCheck("account", _run)
