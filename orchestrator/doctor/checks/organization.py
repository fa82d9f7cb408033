"""organization: its policies let the StackSet deploy to linked accounts, and Octo in."""

from orchestrator.aws.identity import identify
from orchestrator.doctor.model import DoctorCheck, DoctorContext, DoctorResult, ok, problem, warning
from orchestrator.model.linked_accounts import count_linked
from orchestrator.stackset import preflight
from orchestrator.stackset.observation import observe

_MORE = "`octo-tf preflight` shows each statement, and the exemption to add."


def _run(context: DoctorContext) -> DoctorResult:
    registration, aws = context.configured()
    account = identify(aws, registration.account_id, declared_type=registration.account_type)
    if account.account_type != "payer" or not registration.use_stackset:
        return ok("No StackSet is asked for (use_stackset).")
    aws = aws.observe()
    linked = observe(aws, registration)
    found = preflight.predict(aws, registration, linked)
    if cut_off := found.cut_off:
        return problem(f"The organization's policies cut {count_linked(len(cut_off))} off.", _MORE)
    if found.denied:
        missing = ", ".join(found.denied)
        return warning("Not all policies of the organization could be read.", f"Grant {missing}.")
    if found.obstacles:
        return warning("Policies of the organization may deny what is done or read.", _MORE)
    return ok(f"{found.policies} control policies deny nothing of it.")


CHECK = DoctorCheck("organization", _run)
