"""Whatever a config says, it is a run or a mistake."""

import copy
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.config.resolve import resolve
from schemas import ConfigError
from tests.support.small_config import SMALL, written

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
PLACES = [
    (),
    ("speech",),
    ("speech", 0),
    ("speech", 0, "path"),
    ("ingest",),
    ("pools",),
    ("pools", "noise"),
    ("pools", "noise", 0),
    ("degradations",),
    ("degradations", "chain"),
    ("degradations", "chain", 0),
    ("degradations", "chain", 0, "kind"),
    ("degradations", "chain", 0, "snr_db"),
    ("restorers", 1),
    ("restorers", 1, "kind"),
    ("restorers", 1, "takes"),
    ("metrics",),
    ("metrics", 0, "kind"),
    ("preference",),
    ("preference", "criteria"),
    ("preference", "criteria", 0),
]


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(PLACES), value=ANYTHING)
def test_whatever_a_config_says_it_is_a_run_or_a_mistake(
    place: tuple[str | int, ...], value: Any, tmp_path: Path
) -> None:
    """Never a traceback: anything may stand anywhere."""
    changed: Any = {"config": copy.deepcopy(dict(SMALL))}
    inner, last = changed, "config"
    for part in place:
        inner, last = inner[last], part
    inner[last] = value
    path = written(tmp_path)
    path.write_text(yaml.safe_dump(changed["config"], sort_keys=False, allow_unicode=True), encoding="utf-8")

    try:
        run = resolve(path)
    except ConfigError as error:
        assert str(error)  # noqa: PT017 - either outcome is right
    else:
        assert run.config_hash
