"""account: the one that octo.yaml means, and its type."""

from orchestrator.aws.identity import identify
from orchestrator.doctor.model import UNREADABLE, Check, Line, Patient, Status


def _run(patient: Patient) -> Line:
    if patient.context is None:
        return UNREADABLE
    registration = patient.context.registration
    found = identify(
        patient.context.cloud.connect(),
        registration.account_id,
        declared_type=registration.account_type,
    )
    return Line(Status.OK, f"Account {found.account_id} is a {found.account_type} account.")


CHECK = Check("account", _run)
