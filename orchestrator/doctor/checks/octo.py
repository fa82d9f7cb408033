"""octo: whether Octo's API answers to the credentials, and has the external id of octo.yaml."""

from orchestrator.doctor.model import UNREADABLE, Check, Line, Patient, Status


def _run(patient: Patient) -> Line:
    if patient.context is None:
        return UNREADABLE
    credentials = patient.context.settings.octo_credentials
    api = patient.context.octo.api
    if credentials is None or api is None:
        return Line(
            Status.OK, "No credentials for Octo's API: areas are confirmed in Octo, by hand."
        )
    from orchestrator.octo.external_id import decide

    warned: list[str] = []
    context = patient.context
    decide(context.registration, api, credentials, context.settings.place_of, warn=warned.append)
    if warned:
        return Line(Status.WARNING, " ".join(warned), "Run octo-tf doctor again later.")
    return Line(
        Status.OK,
        f"Octo knows the client {credentials.client_id} (from the {credentials.source}), and its"
        " external id is the one that is used.",
    )


CHECK = Check("octo", _run)
