"""Plan: every random decision about a degraded utterance, made before a sample is touched.

A chain of degradations is data (``chain``): steps, groups of which some are chosen, conditions on the
utterance and on what was drawn before (``conditions``). ``drawing`` takes a named stream of randomness and
returns concrete operators; what comes out is a ``Recipe``, from which the same audio is made for ever.
"""

from stages.plan.stage import VERSION, Planned, PlanStage

__all__ = ["VERSION", "PlanStage", "Planned"]
