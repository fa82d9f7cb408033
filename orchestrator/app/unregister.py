"""Unregister: Octo forgets an account, and its linked accounts where that is asked for.

AWS is not asked and nothing there is changed: an account can be unregistered when its credentials
are gone, or it is closed. Octo itself says what the account is, and the user types its id.
"""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.app.context import AccountContext
from orchestrator.octo.departure import Departure

Consent = Callable[[Departure], None]  # is shown what leaves; raises where the user does not agree


def unregister(context: AccountContext, *, with_linked: bool, consent: Consent) -> Departure:
    """Have Octo forget the account, and note that it left: only registering again undoes it.

    Args:
        with_linked: whether the linked accounts that Octo has of it leave too, before it.

    Returns:
        What Octo knew of the account before.

    Raises:
        OctoError: Octo refuses, or does not answer; the next call goes on with the rest.
        OctoTfError: another run is at work on the account.
    """
    with context.events.step("octo", "Asking Octo"):
        departure = context.octo.describe_departure(context.registration.account_id)
    consent(departure)
    if departure.is_known or departure.record or (with_linked and departure.linked):
        with context.locked(), context.events.step("unregister", "Unregistering"):
            context.octo.unregister(departure, with_linked=with_linked)
    return departure
