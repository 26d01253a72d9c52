"""Places of weights: out of recipes, back in where they are carried out."""

from pathlib import Path

from schemas import OperatorSpec
from stages.operators.distribution_forms import distribution_of
from stages.plan.chain import OneOfParts, Step, places_of
from stages.weights.locations import with_paths, without_paths

DIGEST, OTHER = "a" * 64, "b" * 64


def test_a_path_with_a_digest_beside_it_leaves_a_recipe_and_comes_back() -> None:
    """At any depth; what is known elsewhere by its path alone stays as it is."""
    settings = {
        "path": "/models/a",
        "sha256": DIGEST,
        "restorer": {"kind": "onnx", "params": {"path": "/models/b", "sha256": OTHER}},
        "links": [{"path": "/models/c", "sha256": None}],
    }

    published = without_paths(settings)

    assert published == {
        "sha256": DIGEST,
        "restorer": {"kind": "onnx", "params": {"sha256": OTHER}},
        "links": [{"path": "/models/c", "sha256": None}],
    }
    places = {DIGEST: "/models/a", OTHER: "/models/b"}
    spec = OperatorSpec(kind="any", version=1, params=published)
    assert with_paths(spec, places).params == settings
    assert with_paths(spec, {}).params == published


def test_a_path_that_is_said_is_not_replaced() -> None:
    """Only what is missing is filled in."""
    spec = OperatorSpec(kind="any", version=1, params={"path": "/mine", "sha256": DIGEST})

    assert with_paths(spec, {DIGEST: "/other"}) == spec


def test_a_chain_knows_where_its_weights_are(tmp_path: Path) -> None:
    """Those of steps, and of restorers that steps draw."""
    pinned = {"kind": "onnx", "version": 1, "params": {"path": str(tmp_path), "sha256": OTHER}}
    codec = Step(
        kind="neural_codec",
        draws={name: distribution_of(value) for name, value in {"path": "/codec", "sha256": DIGEST}.items()},
    )
    worn = Step(kind="restored_by", draws={"restorer": distribution_of({"one_of": [pinned]})})
    chain = OneOfParts.model_validate({"branches": [{"part": codec}, {"part": worn}]})

    assert places_of([chain]) == {DIGEST: "/codec", OTHER: str(tmp_path)}
    assert "/codec" not in str(codec.described)
    assert str(tmp_path) not in str(worn.described)
