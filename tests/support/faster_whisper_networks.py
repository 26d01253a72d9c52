"""A small random Whisper as CTranslate2 has it, with a tokenizer of its own words."""

import json
from pathlib import Path
from typing import Any

from stages.networks.faster_transcription import SPELLINGS
from tests.support.speech_networks import write_voice_activity

WORDS = ("red", "green", "blue", "grey", "north", "south", "east", "west", "up", "down", "in", "out")
SPECIAL = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nocaptions|>",
    "<|notimestamps|>",
)
_READINESS_TO_END = -0.1
_CERTAINTY = 4.0
"""Makes one word much likelier than the others, so that no text is doubted."""
_STEPS = 1_501
"""Of time, of which Whisper's vocabulary has a token each."""
_WIDTH = 16
_SPREAD = {
    "encoder_attn.q_proj": 3.0,
    "encoder_attn.k_proj": 3.0,
    "decoder.embed_positions": 5.0,
}
"""Parts of names and how far their random weights spread, so that texts depend on what is heard."""


def write_faster_whisper(folder: Path, *, loops: bool = False) -> Path:
    """Write a Whisper of one layer, which says ten words or ``loops``, and what lies beside its weights."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_model(folder, seed=7 if loops else 1)
    _tokenizer().save(str(folder / "tokenizer.json"))
    write_voice_activity(folder)
    (folder / SPELLINGS).write_text(json.dumps({"gray": "grey"}), encoding="utf-8")
    return folder


def _tokenizer() -> Any:
    """Return one whose tokens are whole words, and Whisper's own for what is no word."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers  # noqa: PLC0415

    tokens = {word: number for number, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(tokens, unk_token=WORDS[0]))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=False)
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    return tokenizer


def _write_model(folder: Path, seed: int) -> None:
    import torch  # noqa: PLC0415
    from ctranslate2.converters.transformers import WhisperLoader  # noqa: PLC0415
    from transformers import WhisperConfig, WhisperForConditionalGeneration  # noqa: PLC0415

    torch.manual_seed(seed)
    words, times = len(WORDS) + len(SPECIAL), [f"<|{0.02 * step:.2f}|>" for step in range(_STEPS)]
    config = WhisperConfig(
        vocab_size=words + _STEPS,
        d_model=_WIDTH,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=1,
        decoder_attention_heads=1,
        encoder_ffn_dim=_WIDTH,
        decoder_ffn_dim=_WIDTH,
        pad_token_id=len(WORDS),
        bos_token_id=len(WORDS),
        eos_token_id=len(WORDS),
        decoder_start_token_id=len(WORDS) + 1,
    )
    model = WhisperForConditionalGeneration(config)
    for name, weights in model.named_parameters():
        torch.nn.init.normal_(weights, std=next((s for part, s in _SPREAD.items() if part in name), 1.0))
    tokens = model.model.decoder.embed_tokens.weight.data
    tokens[words:] = 0.0
    model.model.decoder.layer_norm.weight.data *= _CERTAINTY
    model.model.decoder.layer_norm.bias.data = _CERTAINTY * _READINESS_TO_END * tokens[len(WORDS)]
    spec = WhisperLoader().get_model_spec(model)
    spec.register_vocabulary([*WORDS, *SPECIAL, *times])
    spec.config.suppress_ids, spec.config.suppress_ids_begin = [], [len(WORDS)]
    spec.config.lang_ids, spec.config.alignment_heads = [], [[0, 0]]
    spec.validate()
    spec.optimize(quantization="float16")
    spec.save(str(folder))
