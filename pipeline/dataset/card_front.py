"""The head of a dataset card, which the hub and ``datasets`` read: tables, features, sizes, licence, tags."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pipeline.dataset.columns import columns_of, features_of
from schemas.licences import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.dataset.columns import Table
    from pipeline.export import Exported
    from pipeline.resolve import Run

TAGS = ("audio", "speech-restoration", "speech-enhancement", "preference", "dpo", "unanimous")
SIZES = (
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


def front_of(run: Run, exported: Exported) -> str:
    """Return the YAML between the two lines of dashes."""
    from datasets import DatasetInfo, Features, SplitDict  # noqa: PLC0415 - half a second, and only here
    from datasets.info import DatasetInfosDict  # noqa: PLC0415
    from datasets.utils.metadata import MetadataConfigs  # noqa: PLC0415
    from huggingface_hub import DatasetCardData  # noqa: PLC0415

    card = DatasetCardData(
        pretty_name=exported.name,
        language=languages_of(exported.languages) or None,
        **licence_of(exported.licence),
        size_categories=size_category(sum(exported.rows.values())),
        task_categories=["audio-to-audio"],
        tags=list(TAGS),
    )
    infos, configs = DatasetInfosDict(), MetadataConfigs()
    for table, splits in exported.tables.items():
        infos[table] = DatasetInfo(
            features=Features.from_dict(_features(run, table)),
            splits=SplitDict.from_split_dict(
                [
                    {"name": split.value, "num_bytes": files.decoded_bytes, "num_examples": files.rows}
                    for split, files in splits.items()
                ]
            ),
            download_size=sum(files.num_bytes for files in splits.values()),
            dataset_size=sum(files.decoded_bytes for files in splits.values()),
        )
        files = [{"split": split.value, "path": f"{table}/{split}-*.parquet"} for split in splits]
        configs[table] = {"data_files": files, **({"default": True} if table == "pairs" else {})}
    infos.to_dataset_card_data(card)
    configs.to_dataset_card_data(card)
    name_content(card, exported.key)
    return str(card)


def name_content(card: Any, key: str) -> None:
    """Say in each table's information which dataset it is of.

    ``datasets`` keeps local datasets in its cache by the head of their card alone, not by place, time or
    content: without this, a dataset that was written again would be opened as it was before.
    """
    found = card["dataset_info"]
    for info in found if isinstance(found, list) else [found]:
        info["description"] = f"Unanimous, key {key}"


def _features(run: Run, table: Table) -> dict[str, Any]:
    rate = run.config.ingest.sample_rate
    return features_of(columns_of(table, list(run.outputs())), None if rate == "native" else rate)


def licence_of(licence: str | None) -> dict[str, Any]:
    """Return how the hub wants a licence written: its identifiers, or ``other`` and a name."""
    if licence in {None, UNKNOWN}:
        return {"license": UNKNOWN}
    identifiers = [part.lower() for part in str(licence).split(" AND ")]
    if HUB_LICENCES.issuperset(identifiers):
        return {"license": identifiers[0] if len(identifiers) == 1 else identifiers}
    return {"license": "other", "license_name": re.sub(r"[^a-z0-9.+]+", "-", str(licence).lower())}


def languages_of(languages: Iterable[str]) -> list[str]:
    """Return languages as the hub takes them: ISO 639 codes without country or script, sorted.

    Others, such as ``English``, stay in the rows alone: the hub would refuse the card.
    """
    main = {re.split("[-_]", language.strip().lower())[0] for language in languages}
    return sorted(code for code in main if re.fullmatch("[a-z]{2,3}", code))


def size_category(rows: int) -> str:
    """Return the hub's name for so many rows."""
    return next((name for name, below in SIZES if rows < below), MORE)
