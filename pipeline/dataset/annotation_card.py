"""The card of a set of annotations: how to load it, who decided, what became of the recordings."""

from collections.abc import Mapping

from pipeline.dataset import card_tables as written
from pipeline.dataset.annotation_description import AnnotationDescription
from pipeline.dataset.annotation_rows import ANNOTATIONS, AnnotationRows
from pipeline.dataset.card_front_matter import Front, licence_of
from pipeline.store.dataset_columns import features_of
from pipeline.text import count
from stages.prefer.annotation import Verdict

_TAGS = ("audio", "speech-restoration", "speech-enhancement", "pseudo-clean", "unanimous")
VERDICT_MEANINGS: Mapping[str, str] = {
    Verdict.CHOSEN: "a take that every vote prefers to the recording and to the other takes",
    Verdict.SPLIT_VOTE: "takes beat the recording, but no take is ahead by every vote",
    Verdict.NOT_BETTER: "some vote does not prefer any sound take to the recording, beyond its margin",
    Verdict.VETOED: "no take keeps what it has to keep, such as words and voice",
    Verdict.UNSCORED: "a vote is missing",
    Verdict.NO_AUDIO: "no model made anything of it",
}
_COLUMNS: Mapping[str, str] = {
    "annotation_id": "the name of the stretch: its recording, with its number where there are several",
    "degraded": "the recording as it is, mono FLAC",
    "pseudo_clean": "the take that was chosen, at the rate, length and level of the recording",
    "source_id corpus name offset_s": "where it is from",
    "model take settings digest": "who made it",
    "strength": "its narrowest vote over the recording, in units of the criterion's scale",
    "degraded_X pseudo_clean_X margin_X": "every score X of both sides, and by how much the take is better; "
    "what compares with a reference compares with the recording, and is there for the take alone",
    "row_licence licences": "the most restrictive licence of the row, and all that are in it",
}


def write_annotation_card(said: AnnotationDescription, rows: AnnotationRows) -> tuple[str, str | None]:
    """Return README.md, and LICENSE.md of what is under a licence that the hub has no identifier for."""
    parts = written.markdown_table(
        ["licence", "annotations"], [(name, f"{number:,}") for name, number in said.licences.items()]
    )
    terms = None
    if "license_link" in licence_of(said.licence):
        terms = f"# Licences of {said.name}\n\nEach row says its own in `row_licence`.\n\n{parts}\n"
    return _write_readme(said, rows, parts), terms


def _write_readme(said: AnnotationDescription, rows: AnnotationRows, licences: str) -> str:
    front = Front(
        name=said.name,
        content=f"Unanimous annotations, key {said.key}",
        languages=said.languages,
        licence=said.licence,
        tables=said.tables,
        features={table: features_of(rows.columns_of(table), None) for table in said.tables},
        corpora=said.corpora,
        tags=_TAGS,
    )
    outcomes = written.markdown_table(
        ["stretches", "verdict", "means"],
        [
            (f"{number:,}", verdict, VERDICT_MEANINGS.get(verdict, "the recording was refused"))
            for verdict, number in said.verdicts.items()
        ],
    )
    gains = written.markdown_table(
        ["score", "annotations", "degraded", "pseudo-clean"],
        [(g.name, f"{g.annotations:,}", f"{g.degraded:.3f}", f"{g.pseudo_clean:.3f}") for g in said.gains],
    )
    return f"""---
{str(front).strip()}
---

# {said.name}

Real recordings without a clean reference (`degraded`), each beside a restored take (`pseudo_clean`) that
every vote prefers to the recording and to the other takes, and that no veto refuses. Pseudo-clean is what
models made of the recording and scores liked: no listener heard it, and what all votes miss is in it.

{count(said.recordings, "recording")}, {count(said.annotated, "annotation")}.

```python
from datasets import Audio, load_dataset

annotations = load_dataset("path/to/annotations", split="train")
for column in ("degraded", "pseudo_clean"):
    annotations = annotations.cast_column(column, Audio(decode=False))
```

## What became of the recordings

{outcomes}

`candidates` has every recording and every take, chosen or not, with scores, `verdict` and
`verdict_detail`, without audio.

## Columns of `{ANNOTATIONS}`

{written.describe_columns(_COLUMNS)}

## Scores

{gains}

## Who decided

{written.describe_votes(said.criteria)}

Vetoes: {"; ".join(veto.label for veto in said.vetoes) or "none"}.

{written.describe_metrics(said.metrics)}

## Who restored

{written.describe_models(said.models)}

## Licences

{licences}
"""
