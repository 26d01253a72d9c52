"""Ratings are read as strictly as manifests: a mistake names file, line, column and value."""

from pathlib import Path

import pytest

from pipeline.audit.ratings import OpinionScore, SidePreference, read_human_ratings, read_ratings
from pipeline.store.workspace import Workspace
from schemas import ConfigError


def put(folder: Path, text: str) -> Path:
    """Write a file of ratings."""
    path = folder / "ratings.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: ratings have either a column 'mos' or a column 'preferred'; found: nothing"),
        ("candidate_id,moss\n", "line 1: unknown column 'moss'; did you mean 'mos'"),
        ("candidate_id;mos\n", "line 1: unknown column 'candidate_id;mos'; cells are separated by ','"),
        ("candidate_id,mos,mos\n", "line 1: the column 'mos' is there twice"),
        ("candidate_id,mos,preferred\n", "line 1: ratings have either"),
        ("mos\n", "line 1: one column names the recording"),
        ("path,candidate_id,mos\n", "line 1: one column names the recording"),
        ("degraded_id,mos\n", "line 1: 'degraded_id' needs a column 'model'"),
        ("candidate_id,model,mos\n", "line 1: the column 'model' says nothing beside candidate_id, mos"),
        ("pair_id,a,b,preferred\n", "line 1: a preference is of a 'pair_id', or of recordings 'a' and 'b'"),
        ("a,preferred\n", "line 1: a preference is of a 'pair_id', or of"),
        ("candidate_id,mos\nu:0/m/0,good\n", "line 2: 'mos' must be a number from 1 to 5, got 'good'"),
        ("candidate_id,mos\nu:0/m/0,nan\n", "line 2: 'mos' must be a number from 1 to 5, got 'nan'"),
        ("candidate_id,mos\nu:0/m/0,80\n", "line 2: 'mos' must be a number from 1 to 5, got '80'"),
        ("candidate_id,mos\nu:0/m/0,\n", "line 2: 'mos' must be a number from 1 to 5, got ''"),
        ("candidate_id,mos\n ,3\n", "line 2: 'candidate_id' is empty"),
        (
            "degraded_id,model,take,mos\nu:0,m,-1,3\n",
            "line 2: 'take' must be a whole number, 0 or more, got '-1'",
        ),
        ("degraded_id,model,mos\nu:0,,3\n", "line 2: 'model' is empty"),
        (
            "pair_id,preferred\nu:0/0,a\n",
            "line 2: 'preferred' must be one of chosen, rejected, neither, got 'a'",
        ),
        ("a,b,preferred\nx,y,chosen\n", "line 2: 'preferred' must be one of a, b, neither, got 'chosen'"),
        ("a,b,preferred\nx,x,a\n", "line 2: 'a' and 'b' are both 'x'"),
        ("candidate_id,mos\nx,3,4\n", r"line 2: more cells than columns: \['4'\]"),
        ("candidate_id,mos\nx\n", "line 2: fewer cells than columns"),
        ('candidate_id,mos\n"x,3\n', "line 2: not CSV: the quote that opens here is never closed"),
        (
            "candidate_id,mos,listener\nx,3,Ann\nx,3,Ben\nx,4,Ann\n",
            "line 4: 'Ann' has rated this in .*, line 2 too; which one counts",
        ),
        ("a,b,preferred,listener\nx,y,a,Ann\ny,x,a,Ann\n", "line 3: 'Ann' has rated this in .*, line 2 too"),
    ],
)
def test_a_mistake_names_its_place(text: str, said: str, tmp_path: Path) -> None:
    """And nothing is read of a file with one."""
    with pytest.raises(ConfigError, match=f"ratings.csv, {said}"):
        read_ratings(put(tmp_path, text))


def test_reads_opinions_and_preferences(tmp_path: Path) -> None:
    """A cell that is empty says nothing; without names, one thing may be rated by many."""
    opinions = read_ratings(
        put(tmp_path, "degraded_id,model,take,mos,listener\nu:0,m,,3.5,\nu:0,m,1,1,Ann\n")
    )
    preferences = read_ratings(put(tmp_path, "a,b,preferred\nx,y,a\ny,x,neither\n"))

    assert all(isinstance(rating, OpinionScore) for rating in opinions)
    assert [(r.of.take, r.mos, r.listener) for r in opinions if isinstance(r, OpinionScore)] == [
        (None, 3.5, None),
        (1, 1.0, "Ann"),
    ]
    assert [r.preferred for r in preferences if isinstance(r, SidePreference)] == [0, None]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """So is a line of votes that is none."""
    votes = tmp_path / "votes.jsonl"
    votes.write_text('{"listener": "Ann"}\n')

    with pytest.raises(ConfigError, match=r"nowhere.csv: cannot be read: No such file"):
        read_ratings(tmp_path / "nowhere.csv")
    with pytest.raises(ConfigError, match=r"votes.jsonl, line 1: no vote of a listening test: trial: Field"):
        read_human_ratings(votes, Workspace(tmp_path / "workspace"))
