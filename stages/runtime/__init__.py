"""Runtime: how code that is not ours is run, so that what it does to itself does not happen to us.

``attempt`` is the one place where a foreign exception becomes a reason. ``child_process`` runs what may
crash or hang in a process that is asked and answers; ``external_model`` does so in another interpreter, in
the frames of ``external_protocol``. ``seeding`` makes libraries with global generators follow a named
stream.
"""

from stages.runtime.attempt import Attempt, attempt
from stages.runtime.child_process import ChildProcess
from stages.runtime.external_model import Environment, ExternalModel
from stages.runtime.seeding import seeded_from

__all__ = ["Attempt", "ChildProcess", "Environment", "ExternalModel", "attempt", "seeded_from"]
