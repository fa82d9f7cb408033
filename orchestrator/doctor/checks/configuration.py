"""configuration: octo.yaml and flags say something that can be done."""

from orchestrator.doctor.model import Check, Line, Patient, Status


def _run(patient: Patient) -> Line:
    if patient.context is None:
        return Line(
            Status.PROBLEM,
            str(patient.error),
            (patient.error.hint if patient.error else "") or "Correct it at the place named.",
        )
    registration = patient.context.registration
    return Line(
        Status.OK, f"Account {registration.account_id}, state: {registration.backend.type}."
    )


CHECK = Check("configuration", _run)
