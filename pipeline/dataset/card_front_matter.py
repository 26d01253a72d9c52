"""The head of a dataset card, which the hub and ``datasets`` read: tables, features, sizes, licence, tags."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.store.dataset_columns import columns_of, features_of
from pipeline.store.dataset_files import LICENCE_FILE
from stages.operators.licences import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from datasets import DatasetInfo

    from pipeline.config.resolve import ResolvedConfig
    from pipeline.dataset.description import DatasetDescription
    from pipeline.dataset.writer import SplitFiles
    from pipeline.store.dataset_columns import DatasetTable
    from schemas import Split

    Splits = Mapping[Split, SplitFiles]

TAGS = ("audio", "speech-restoration", "speech-enhancement", "preference", "dpo", "unanimous")
_SIZES = (
    *(("n<1K", 10**3), ("1K<n<10K", 10**4), ("10K<n<100K", 10**5), ("100K<n<1M", 10**6)),
    *(("1M<n<10M", 10**7), ("10M<n<100M", 10**8), ("100M<n<1B", 10**9)),
)
MORE = "1B<n<10B"
HUB_LICENCES = frozenset(
    {
        *(
            "apache-2.0",
            "mit",
            "bsd-2-clause",
            "bsd-3-clause",
            "isc",
            "zlib",
            "unlicense",
            "mpl-2.0",
            "epl-2.0",
        ),
        *(
            "cc0-1.0",
            "cc-by-3.0",
            "cc-by-4.0",
            "cc-by-sa-3.0",
            "cc-by-sa-4.0",
            "cc-by-nc-3.0",
            "cc-by-nc-4.0",
        ),
        *("cc-by-nd-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0"),
        *("odbl", "pddl", "bsl-1.0"),
    }
)
"""Licences that the hub has an identifier for, of those that data and weights come under."""


@dataclass(frozen=True, slots=True)
class Front:
    """What the head of a card is made of."""

    name: str
    content: str
    """What the rows are of, in a line that differs whenever they do.

    ``datasets`` keeps local datasets in its cache by the head of their card alone, not by place, time or
    content: without this, a dataset that was written again would be opened as it was before.
    """
    languages: Sequence[str]
    licence: str | None
    tables: Mapping[str, Splits] | Mapping[DatasetTable, Splits]
    """The first one is what opens by default."""
    features: Mapping[str, Mapping[str, Any]]
    """Of each table, as ``datasets.Features.from_dict`` reads them."""
    corpora: Sequence[str] = ()
    """Names of what the speech is from."""
    tags: Sequence[str] = TAGS

    def __str__(self) -> str:
        """Return the YAML between the two lines of dashes."""
        from datasets.info import DatasetInfosDict  # noqa: PLC0415 - half a second, and only here
        from datasets.utils.metadata import MetadataConfigs  # noqa: PLC0415
        from huggingface_hub import DatasetCardData  # noqa: PLC0415

        default, of_default = next(iter(self.tables.items()))
        card = DatasetCardData(
            pretty_name=self.name,
            language=languages_of(self.languages) or None,
            **licence_of(self.licence),
            annotations_creators=["machine-generated"],
            source_datasets=source_datasets_of(self.corpora) or None,
            size_categories=size_category_of(sum(files.rows for files in of_default.values())),
            task_categories=["audio-to-audio"],
            tags=list(self.tags),
        )
        infos, configs = DatasetInfosDict(), MetadataConfigs()
        for table, splits in self.tables.items():
            infos[table] = _info(splits, self.features[table])
            files = [{"split": split.value, "path": f"{table}/{split}-*.parquet"} for split in splits]
            configs[table] = {"data_files": files, **({"default": True} if table == default else {})}
        infos.to_dataset_card_data(card)
        configs.to_dataset_card_data(card)
        found = card["dataset_info"]  # which leaves descriptions out
        for info in found if isinstance(found, list) else [found]:
            info["description"] = self.content
        return str(card)


def front_of(run: ResolvedConfig, exported: DatasetDescription) -> str:
    """Return the head of a dataset's card."""
    rate = run.config.ingest.sample_rate
    scores, has_round = list(run.outputs()), exported.lineage is not None
    columns = {table: columns_of(table, scores, has_round=has_round) for table in exported.tables}
    front = Front(
        name=exported.name,
        content=f"Unanimous, key {exported.key}",
        languages=exported.languages,
        licence=exported.licence,
        corpora=[source.name for source in exported.sources if source.part == "speech"],
        tables=exported.tables,
        features={
            table: features_of(each, None if rate == "native" else rate) for table, each in columns.items()
        },
    )
    return str(front)


def _info(splits: Splits, features: Mapping[str, Any]) -> DatasetInfo:
    from datasets import DatasetInfo, Features, SplitDict  # noqa: PLC0415

    return DatasetInfo(
        features=Features.from_dict(features),
        splits=SplitDict.from_split_dict(
            [
                {"name": split.value, "num_bytes": files.decoded_bytes, "num_examples": files.rows}
                for split, files in splits.items()
            ]
        ),
        download_size=sum(files.num_bytes for files in splits.values()),
        dataset_size=sum(files.decoded_bytes for files in splits.values()),
    )


def licence_of(licence: str | None) -> dict[str, Any]:
    """Return how the hub wants a licence written: its identifiers, or ``other``, a name and a link.

    The link is to the file beside the card that says what is under which licence.
    """
    if licence in {None, UNKNOWN}:
        return {"license": UNKNOWN}
    identifiers = [part.lower() for part in str(licence).split(" AND ")]
    if HUB_LICENCES.issuperset(identifiers):
        return {"license": identifiers[0] if len(identifiers) == 1 else identifiers}
    name = re.sub(r"[^a-z0-9.+]+", "-", str(licence).lower())
    return {"license": "other", "license_name": name, "license_link": LICENCE_FILE}


def source_datasets_of(corpora: Iterable[str]) -> list[str]:
    """Return what the rows were made from as the hub writes it: each corpus once, as an extension of it."""
    names = {re.sub(r"[^a-z0-9_.]+", "-", name.lower()).strip("-") for name in corpora}
    return [f"extended|other-{name}" for name in sorted(names) if name]


def languages_of(languages: Iterable[str]) -> list[str]:
    """Return languages as the hub takes them: ISO 639 codes without country or script, sorted.

    Others, such as ``English``, stay in the rows alone: the hub would refuse the card.
    """
    main = {re.split("[-_]", language.strip().lower())[0] for language in languages}
    return sorted(code for code in main if re.fullmatch("[a-z]{2,3}", code))


def size_category_of(rows: int) -> str:
    """Return the hub's name for so many rows."""
    return next((name for name, below in _SIZES if rows < below), MORE)
