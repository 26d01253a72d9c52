"""The outcome of a listening test as lines of text."""

from collections.abc import Iterator, Sequence

from pipeline.listening.agreement import ListenerAgreement
from pipeline.listening.intervals import Share
from pipeline.text import align_columns, count

_HEAD = ("", "agreed", "of", "share", "95 % interval", "cannot tell")


def agreement_lines(found: ListenerAgreement) -> Iterator[str]:
    """Yield what listeners' votes say of pairs, scores and the listeners themselves."""
    yield "listeners prefer the chosen side of kept pairs"
    shares = {"all pairs": found.pairs, **found.degradations}
    yield from _table(shares)
    yield ""
    yield "listeners and a score prefer the same of two restorations of one input"
    yield from _table(
        {
            **{f"{s.score}, drawn ones": s.drawn for s in found.scores},
            **{f"{s.score}, kept pairs": s.pairs for s in found.scores},
        }
    )
    yield ""
    yield f"Krippendorff's alpha between listeners: {_alpha(found)}"
    yield ""
    yield "listeners agree"
    yield from _table(
        {
            "with one another": found.between_listeners,
            **{f"{one.listener}, with their own earlier vote": one.repeats for one in found.listeners},
        }
    )
    yield ""
    for one in found.listeners:
        checks = f", clean speech found in {_percent(one.references)}" if one.references.votes else ""
        a_in = _percent(one.first_side)
        yield f"{one.listener}: {count(one.trials, 'trial')}, A preferred in {a_in}{checks}"
        if one.carelessness:
            yield f"{one.listener} may be careless: {'; '.join(one.carelessness)}; --careful leaves them out"
    if found.outdated:
        yield f"{count(found.outdated, 'vote')} on audio that is not there any more, left out above"


def _alpha(found: ListenerAgreement) -> str:
    if found.alpha_nominal is None or found.alpha_ordinal is None:
        return "no two listeners were asked the same, or all of them said the same of everything"
    return f"{found.alpha_nominal:.2f} (three answers), {found.alpha_ordinal:.2f} (in their order)"


def _table(shares: dict[str, Share]) -> Sequence[str]:
    return align_columns([_HEAD, *(_row(name, share) for name, share in shares.items())])


def _row(name: str, share: Share) -> tuple[str, ...]:
    undecided = f"{share.undecided:,}" if share.undecided else ""
    return name, f"{share.agreed:,}", f"{share.votes:,}", _percent(share), _interval(share), undecided


def _percent(share: Share) -> str:
    return "no vote" if share.share is None else f"{share.share:.0%}"


def _interval(share: Share) -> str:
    return "" if share.low is None or share.high is None else f"{share.low:.0%} to {share.high:.0%}"
