"""Margins from the command line, however the config writes its criteria."""

from pathlib import Path

from pipeline.config.resolve import resolve
from tests.support.small_config import written


def test_a_margin_of_a_criterion_that_is_only_a_name(tmp_path: Path) -> None:
    """``--set preference.criteria.1.margin=0.2`` works where the config says ``pesq`` and nothing more."""
    path = written(tmp_path)

    run = resolve(path, ["preference.criteria.1.margin=0.2"])

    before = {criterion.metric: criterion for criterion in resolve(path).criteria}
    now = {criterion.metric: criterion for criterion in run.criteria}
    assert now.pop("pesq") == before.pop("pesq").model_copy(update={"margin": 0.2})
    assert now == before


def test_a_criterion_by_option_may_be_a_name(tmp_path: Path) -> None:
    """The whole entry can be set too, in both of its forms."""
    path = written(tmp_path)

    run = resolve(path, ["preference.criteria.1=si_sdr", "preference.criteria.1={metric: pesq, margin: 1}"])

    assert run.criteria[1].metric == "pesq"
    assert run.criteria[1].margin == 1
