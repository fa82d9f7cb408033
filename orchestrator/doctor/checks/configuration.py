"""configuration: octo.yaml, flags and environment variables are valid."""

from orchestrator.doctor.model import DoctorCheck, DoctorContext, DoctorResult, ok, problem


def _run(context: DoctorContext) -> DoctorResult:
    registration = context.registration
    if registration is None:
        hint = context.error.hint if context.error else ""
        return problem(str(context.error), hint or "Correct the setting at the place named.")
    return ok(f"Account {registration.account_id}, state: {registration.backend.type}.")


CHECK = DoctorCheck("configuration", _run)
