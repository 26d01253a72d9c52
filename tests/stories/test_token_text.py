"""Pairs as text tokens, which trainers of language models take as they are."""

import copy
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from datasets import load_dataset
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

from pipeline.cli.commands.tokens import tokens_command
from pipeline.operations.token_text import require_tokens, text_of
from pipeline.store.dataset_files import DatasetFiles
from schemas import UserError
from stages.audio.flac import decode_flac_bytes
from stages.networks.codec_tokens import load_tokenizer
from tests.support.neural_weights import write_dac


@pytest.fixture(scope="module")
def codec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a small DAC at 16 kHz."""
    return write_dac(tmp_path_factory.mktemp("dac"), sample_rate=16_000)


@pytest.fixture(scope="module")
def dataset(undisturbed: Path) -> Path:
    """Return the dataset of the tiny run."""
    return undisturbed / "workspace" / "dataset"


@pytest.fixture(scope="module")
def texts(dataset: Path, codec: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return its pairs as text of two codebooks."""
    out = tmp_path_factory.mktemp("tokens") / "text"
    tokens_command(DatasetFiles(dataset), codec, out, 2, "cpu", "text")
    return out


def text_tokenizer(vocabulary: list[str]) -> Any:
    """Return a tokenizer that knows these words and three of its own."""
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415 - 5 s, which all tests would wait for

    words = {word: index for index, word in enumerate(["<pad>", "<eos>", "<bos>", *vocabulary])}
    plain = Tokenizer(models.WordLevel(words, unk_token="<pad>"))
    plain.pre_tokenizer = pre_tokenizers.Split(Regex(r"<[^>]*>"), behavior="isolated")
    named = {"pad_token": "<pad>", "eos_token": "<eos>", "bos_token": "<bos>"}
    return PreTrainedTokenizerFast(tokenizer_object=plain, **named)


def test_text_is_the_codes_frame_by_frame(dataset: Path, codec: Path, texts: Path) -> None:
    """The degraded side is the prompt; every token is in the vocabulary."""
    vocabulary = set((texts / "vocabulary.txt").read_text().split())
    assert len(vocabulary) == 2 * 64
    rows, pairs = (pq.read_table(folder).to_pylist() for folder in (texts / "tokens", dataset / "pairs"))
    assert [row["pair_id"] for row in rows] == [pair["pair_id"] for pair in pairs]
    codes_of = load_tokenizer(codec, "cpu", 2).codes
    for name, side in {"prompt": "degraded", "chosen": "chosen", "rejected": "rejected"}.items():
        first, second = codes_of(decode_flac_bytes(pairs[0][side]["bytes"])).tolist()
        frames = [f"<|a0_{a}|><|a1_{b}|>" for a, b in zip(first, second, strict=True)]
        assert rows[0][name] == "".join(frames) == text_of([first, second])
        assert all(set(row[name].replace("><", "> <").split()) <= vocabulary for row in rows)


def test_a_tokenizer_without_the_codes_is_told(
    dataset: Path, codec: Path, texts: Path, tmp_path: Path
) -> None:
    """By how many it lacks, before anything is written; so is a folder without a tokenizer."""
    vocabulary = (texts / "vocabulary.txt").read_text().split()
    text_tokenizer(vocabulary).save_pretrained(tmp_path / "whole")
    text_tokenizer(vocabulary[:-1]).save_pretrained(tmp_path / "lacking")

    require_tokens(tmp_path / "whole", 2, 64)
    with pytest.raises(UserError, match=r"lacks 1 of 128 codes: first of all <\|a1_63\|>"):
        require_tokens(tmp_path / "lacking", 2, 64)
    with pytest.raises(UserError, match="no folder with a tokenizer"):
        require_tokens(tmp_path / "nowhere", 2, 64)
    for folder in ("lacking", "nowhere"):
        with pytest.raises(UserError):
            tokens_command(
                DatasetFiles(dataset),
                codec,
                tmp_path / "out",
                2,
                "cpu",
                "text",
                text_tokenizer=tmp_path / folder,
            )
    assert not (tmp_path / "out").exists()


@pytest.mark.filterwarnings("ignore")  # of a library that is not ours to mend
def test_trl_trains_on_it(texts: Path, tmp_path: Path) -> None:
    """Its own DPOTrainer, a causal model of next to nothing, and a loss that falls from log 2."""
    trl = pytest.importorskip("trl", reason="needs TRL, which nothing else here uses: pip install trl")
    from transformers import LlamaConfig, LlamaForCausalLM  # noqa: PLC0415 - as above

    tokenizer = text_tokenizer((texts / "vocabulary.txt").read_text().split())
    sizes = {"hidden_size": 32, "intermediate_size": 32, "num_attention_heads": 2, "num_key_value_heads": 2}
    config = LlamaConfig(vocab_size=len(tokenizer), num_hidden_layers=1, **sizes)
    model = LlamaForCausalLM(config)
    pairs = load_dataset(str(texts), split="train", cache_dir=str(tmp_path / "cache"))
    quiet = {"report_to": [], "save_strategy": "no", "use_cpu": True, "bf16": False, "disable_tqdm": True}
    settings = trl.DPOConfig(
        output_dir=str(tmp_path),
        max_steps=8,
        logging_steps=1,
        learning_rate=5e-3,
        per_device_train_batch_size=4,
        **quiet,
    )

    trainer = trl.DPOTrainer(
        model=model,
        ref_model=copy.deepcopy(model),
        args=settings,
        train_dataset=pairs.select_columns(["prompt", "chosen", "rejected"]),
        processing_class=tokenizer,
    )
    trainer.train()

    losses = [step["loss"] for step in trainer.state.log_history if "loss" in step]
    assert losses[0] == pytest.approx(0.693, abs=0.001)
    assert losses[-1] < 0.6
