"""account: the one that octo.yaml means, and its type."""

from orchestrator.aws.identity import identify
from orchestrator.doctor.model import UNREADABLE, Check, Line, Patient, Status


def _run(patient: Patient) -> Line:
    if patient.run is None:
        return UNREADABLE
    registration = patient.run.registration
    found = identify(
        patient.run.aws, registration.account_id, declared_type=registration.account_type
    )
    return Line(Status.OK, f"Account {found.account_id} is a {found.account_type} account.")


CHECK = Check("account", _run)
