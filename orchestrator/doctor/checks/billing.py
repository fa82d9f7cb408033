"""billing: the payer's own organization pays its bills, so that AWS delivers its report."""

from orchestrator.doctor.model import DoctorCheck, DoctorContext, DoctorResult, ok, problem, warning

_DOCS = "docs/explanation/known-limits.md says what is lost."


def _run(context: DoctorContext) -> DoctorResult:
    _, _, account = context.identified()
    found = account.billing
    if account.account_type != "payer":
        return ok("Billing is transferred between payers only.")
    text = " ".join(found.warnings)
    if found.paid_by:
        return problem(text, f"{found.remedy} {_DOCS}")
    if text:
        return warning(text, _DOCS)
    return ok("No billing is transferred from or to this organization.")


CHECK = DoctorCheck("billing", _run)
