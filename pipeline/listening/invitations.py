"""Who is invited to a listening test, each by a link of their own, and what the test holds for them."""

import secrets
from collections.abc import Iterable

from pydantic import Field, ValidationError

from pipeline.listening.votes import Listener
from pipeline.store.files import StoredFile
from schemas import Record, WorkspaceError

_TOKEN_BYTES = 12


class ListeningPlan(Record):
    """What a test asks beside what is to be judged: whoever listens well finds the clean speech."""

    training: int = Field(default=0, ge=0, le=20)
    """Trials at the beginning that do not count."""
    reference_every: int = Field(default=0, ge=0)
    """One of so many trials has the clean speech as one side and the damaged input as the other; 0: none."""


class Invitation(Record):
    """A listener, and what their link is known by."""

    listener: Listener
    token: str


class Invitations(Record):
    """Everybody who is invited. Where anybody is, nobody else can vote."""

    plan: ListeningPlan = ListeningPlan()
    invited: tuple[Invitation, ...] = ()

    def listener_of(self, token: str) -> str | None:
        """Return whose token it is; None if it is nobody's."""
        found = (i.listener for i in self.invited if secrets.compare_digest(i.token, token))
        return next(found, None)


def read_invitations(file: StoredFile) -> Invitations | None:
    """Return who is invited; None if the test is open to all.

    Raises ``WorkspaceError`` if that cannot be read.
    """
    content = file.read_if_there()
    try:
        return None if content is None else Invitations.model_validate_json(content)
    except ValidationError as error:
        raise WorkspaceError(
            f"{file}, which says who is invited to the listening test, cannot be read: remove it and "
            "invite anew"
        ) from error


def invite(file: StoredFile, names: Iterable[str], plan: ListeningPlan) -> Invitations:
    """Invite listeners, keep that, and return everybody who is invited; who was before keeps their link."""
    before = read_invitations(file) or Invitations()
    there = {each.listener for each in before.invited}
    asked = (Invitation(listener=name, token=secrets.token_hex(_TOKEN_BYTES)) for name in names)
    new = {each.listener: each for each in asked if each.listener not in there}
    found = Invitations(plan=plan, invited=(*before.invited, *new.values()))
    file.put(found.model_dump_json(indent=1).encode())
    return found
