"""octo: Octo's API accepts the credentials, and has the external id of octo.yaml."""

from orchestrator.doctor.model import (
    ConfigurationMissing,
    DoctorCheck,
    DoctorContext,
    DoctorResult,
    ok,
    warning,
)


def _run(context: DoctorContext) -> DoctorResult:
    registration = context.registration
    if registration is None:
        raise ConfigurationMissing("octo.yaml is wrong")
    credentials, api = context.octo_credentials, context.octo_api
    if credentials is None or api is None:
        return ok("No credentials for Octo's API: you confirm areas in Octo yourself.")
    from orchestrator.octo.external_id import decide

    warnings: list[str] = []
    decide(registration, api, credentials, context.place_of, warn=warnings.append)
    if warnings:
        return warning(" ".join(warnings), "Run octo-tf doctor again later.")
    return ok(
        f"Octo knows the client {credentials.client_id} (from the {credentials.source}), and its"
        " external id is the one that is used."
    )


CHECK = DoctorCheck("octo", _run)
