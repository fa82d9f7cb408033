"""organization: neither its policies nor quotas prevent the StackSet's deployments."""

from orchestrator.doctor.model import DoctorCheck, DoctorContext, DoctorResult, ok, problem, warning
from orchestrator.model.words import counted
from orchestrator.stackset import examination, preflight
from orchestrator.stackset.observation import observe

_MORE = "`octo-tf preflight` shows each statement, and the exemption to add."


def _run(context: DoctorContext) -> DoctorResult:
    registration, aws, account = context.identified()
    if account.account_type != "payer" or not registration.use_stackset:
        return ok("No StackSet is configured (use_stackset).")
    linked = observe(aws, registration)
    found = preflight.predict(aws, registration, linked)
    if cut_off := found.cut_off:
        accounts = counted(len(cut_off), "linked account")
        return problem(f"The organization's policies cut {accounts} off.", _MORE)
    for finding in examination.examine_quotas(aws, registration, account, linked):
        if finding.status == "problem":
            return problem(finding.summary, finding.fix)
    if found.denied:
        missing = ", ".join(found.denied)
        return warning("Not all policies of the organization could be read.", f"Grant {missing}.")
    if found.obstacles:
        return warning(
            "The organization's policies may deny a deployment, or what Octo reads.", _MORE
        )
    return ok("The organization's policies deny neither the deployment nor Octo's access.")


CHECK = DoctorCheck("organization", _run)
