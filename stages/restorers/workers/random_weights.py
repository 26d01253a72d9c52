"""Random weights in the layout of published ones: ``python random_weights.py KIND FOLDER``.

In the model's environment, whose own code builds the networks and names their parts; what it does not know,
because a hub has it, is small. A worker that runs on them is one whose environment, code and loading fit
together. What comes out is noise, and for a check alone.
"""

import json
import sys
import tarfile
from pathlib import Path


def write_random_weights(kind, folder):
    """Write random weights of ``kind`` below ``folder``; the checkout is the working directory."""
    import torch

    torch.manual_seed(0)
    torch.set_grad_enabled(False)
    _WRITERS[kind](Path(folder))


def _save(content, path):
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".safetensors":
        from safetensors.torch import save_file

        save_file({name: value.contiguous().clone() for name, value in content.items()}, str(path))
    elif path.suffix in (".json", ".yaml"):
        path.write_text(json.dumps(content), encoding="utf-8")
    else:
        torch.save(content, str(path))


def _codec_of_descript(folder):
    """Write a Descript codec of a few channels, with as many codebooks and the hop of the published one."""
    import dac

    codec = dac.DAC(encoder_dim=8, decoder_dim=64, sample_rate=44100)
    settings = {"encoder_dim": 8, "decoder_dim": 64, "sample_rate": 44100}
    _save(
        {"state_dict": codec.state_dict(), "metadata": {"kwargs": settings}}, folder / "dac" / "weights.pth"
    )
    return codec


def _anyenhance_v1(folder):
    import infer
    import json5

    _codec_of_descript(folder)
    with open("config/anyenhance_v1.json", encoding="utf-8") as file:
        settings = json5.load(file)["model"]
    settings["dac_path"] = str(folder / "dac" / "weights.pth")
    model = infer.get_model(settings, "cpu")
    _save(model.state_dict(), folder / "model.pt")
    with tarfile.open(str(folder / "epoch-83-step-200000-loss-4.4187.tar"), "w") as tar:
        tar.add(str(folder / "model.pt"), arcname="epoch-83-step-200000-loss-4.4187/model.pt")
    (folder / "model.pt").unlink()


def _anyenhance(folder):
    from models.se.anyenhance import infer_anyenhance

    _codec_of_descript(folder)
    heads = {"dim_head": 16, "heads": 4, "ff_mult": 2}
    listener = {f"transformer_{name}": value for name, value in heads.items()}
    settings = {
        "MaskGitTransformer": {
            "num_tokens": 1024, "seq_len": 260, "dim": 64, "depth": 2, "vq_layers": 9, "self_cond": True,
            **heads,
        },
        "AudioEncoder": {
            "dim": 64, "seq_len": 260, "input_dim": 1025, "n_fft": 2048, "hop_length": 512,
            "win_length": 2048,
            "mlp_layers": [64, 64], "transformer_layers": 2, "transformer_dim": 64, **listener,
        },
        "AnyEnhance": {"seq_len": 200, "prompt_len": 60, "vq_layers": 9, "task_num": 2, "self_critic": True},
    }  # fmt: skip
    model = infer_anyenhance.get_model(str(folder / "dac" / "weights.pth"), settings, "cpu")
    _save(model.state_dict(), folder / "epoch-1-step-300000-loss-4.3083" / "model.pt")
    _save({"model": settings}, folder / "anyenhance-360M-selfcritic-v2.json")


def _flowse(folder):
    import yaml
    from model import CFM, DiT
    from model.model_utils import get_tokenizer
    from vocos import Vocos

    with open("config/train.yaml", encoding="utf-8") as file:
        settings = yaml.safe_load(file)["model"]
    characters, size = get_tokenizer(settings["tokenizer_path"], settings["tokenizer"])
    mel = settings["mel_spec"]
    flow = DiT(**settings["arch"], text_num_embeds=size, mel_dim=mel["n_mel_channels"])
    flow = CFM(transformer=flow, mel_spec_kwargs=mel, vocab_char_map=characters)
    _save({"epoch": 0, "model_state_dict": flow.state_dict()}, folder / "wenetspeech4tts_Premium.pt.tar")
    parts = {
        "feature_extractor": {
            "class_path": "vocos.feature_extractors.MelSpectrogramFeatures",
            "init_args": {"sample_rate": 24000, "n_fft": 1024, "hop_length": 256, "n_mels": 100},
        },
        "backbone": {
            "class_path": "vocos.models.VocosBackbone",
            "init_args": {"input_channels": 100, "dim": 64, "intermediate_dim": 128, "num_layers": 2},
        },
        "head": {
            "class_path": "vocos.heads.ISTFTHead",
            "init_args": {"dim": 64, "n_fft": 1024, "hop_length": 256},
        },
    }
    _save(parts, folder / "vocos" / "config.yaml")
    vocoder = Vocos.from_hparams(str(folder / "vocos" / "config.yaml"))
    _save(vocoder.state_dict(), folder / "vocos" / "pytorch_model.bin")


def _llase_g1(folder):
    import inference
    import torch
    import yaml
    from transformers import SeamlessM4TFeatureExtractor, Wav2Vec2BertConfig, Wav2Vec2BertModel

    codec = folder / "ckpt" / "codec_ckpt"
    with open("config/test.yml", encoding="utf-8") as file:
        model = inference.model(**yaml.safe_load(file)["nnet_conf"])
    state = {f"module.{name}": value for name, value in model.state_dict().items()}
    _save({"model_state_dict": state}, folder / "ckpt" / "model.pt.tar")
    parts = {
        "CodecEnc": inference.CodecEncoder_Transformer(),
        "generator": inference.CodecDecoderVocos(),
        "fc_post_a": torch.nn.Linear(2048, 1024),
        "fc_prior": torch.nn.Linear(2048, 2048),
        "SemanticEncoder_module": inference.SemanticEncoder(1024, 1024, 1024),
    }
    state = {
        f"{part}.{name}": value for part, net in parts.items() for name, value in net.state_dict().items()
    }
    _save({"state_dict": state}, codec / "epoch=4-step=1400000.ckpt")
    small = {"num_hidden_layers": 1, "intermediate_size": 64, "hidden_size": 64, "num_attention_heads": 4}
    listener = codec / "hub" / "models--facebook--w2v-bert-2.0"
    Wav2Vec2BertModel(Wav2Vec2BertConfig(**small)).save_pretrained(str(listener))
    SeamlessM4TFeatureExtractor(feature_size=80, num_mel_bins=80).save_pretrained(str(listener))
    large = {"encoder_layers": 6, "encoder_embed_dim": 1024, "encoder_ffn_embed_dim": 64}
    large.update(
        encoder_attention_heads=16, extractor_mode="layer_norm", layer_norm_first=True, normalize=True
    )
    wavlm = inference.WavLM(inference.WavLMConfig(large))
    _save({"cfg": large, "model": wavlm.state_dict()}, codec / "WavLM-Large.pt")


def _resemble_enhance(folder):
    from resemble_enhance.enhancer.hparams import HParams
    from resemble_enhance.enhancer.train import Enhancer

    (folder / "ds" / "G" / "default").mkdir(parents=True, exist_ok=True)
    (folder / "ds" / "G" / "latest").write_text("default", encoding="utf-8")
    settings = HParams()
    settings.save_if_not_exists(folder)
    state = {name: value.half() for name, value in Enhancer(settings).state_dict().items()}
    _save({"module": state}, folder / "ds" / "G" / "default" / "mp_rank_00_model_states.pt")


def _sgmse(folder):
    import torch
    from sgmse.data_module import SpecsDataModule
    from sgmse.model import ScoreModel

    settings = {
        "backbone": "ncsnpp_48k",
        "sde": "ouve",
        "sr": 48000,
        "n_fft": 1534,
        "hop_length": 384,
        "nf": 32,
    }
    settings.update(theta=2.0, sigma_min=0.1, sigma_max=1.0, N=30, data_module_cls=SpecsDataModule)
    settings.update(
        base_dir="", format="ears", batch_size=1, num_frames=256, window="hann", spec_factor=0.065
    )
    settings.update(
        spec_abs_exponent=0.667, transform_type="exponent", normalize="noisy", num_workers=0, gpus=0
    )
    model = ScoreModel(**settings)
    means = {"decay": 0.999, "num_updates": 1, "collected_params": None}
    means["shadow_params"] = [value + 0.01 * torch.randn_like(value) for value in model.parameters()]
    _save(
        {
            "state_dict": model.state_dict(),
            "ema": means,
            "hyper_parameters": settings,
            "pytorch-lightning_version": "2.0.0",
        },
        folder / "ears_wham.ckpt",
    )


def _unise(folder):
    import torch
    import yaml
    from model.bicodec import bicodec
    from model.llm import LLM_SFT
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model, WavLMConfig, WavLMModel

    with open("conf/config.yaml", encoding="utf-8") as file:
        settings = yaml.safe_load(file)["llm_config"]
    state = {f"dnn.{name}": value for name, value in LLM_SFT(**settings).state_dict().items()}
    _save({"state_dict": state, "hyper_parameters": {"log_dir": Path("/log")}}, folder / "unise.ckpt")
    sizes = {"vocos_dim": 64, "vocos_intermediate_dim": 128, "vocos_num_layers": 2}
    sides = {"input_channels": 1024, "out_channels": 1024, **sizes}
    parts = {
        "mel_params": {
            "sample_rate": 16000, "n_fft": 1024, "win_length": 640, "hop_length": 320, "mel_fmin": 10,
            "mel_fmax": None, "num_mels": 128,
        },
        "encoder": {"sample_ratios": [1, 1], **sides},
        "decoder": {
            "input_channel": 1024, "channels": 256, "rates": [8, 5, 4, 2], "kernel_sizes": [16, 11, 8, 4],
        },
        "quantizer": {
            "input_dim": 1024, "codebook_size": 8192, "codebook_dim": 8, "commitment": 0.25,
            "codebook_loss_weight": 2.0, "use_l2_normlize": True, "threshold_ema_dead_code": 0.2,
        },
        "speaker_encoder": {
            "input_dim": 128, "out_dim": 1024, "latent_dim": 128, "token_num": 32, "fsq_levels": [4] * 6,
            "fsq_num_quantizers": 1,
        },
        "prenet": {"sample_ratios": [1, 1], "condition_dim": 1024, "use_tanh_at_final": False, **sides},
        "postnet": {"use_tanh_at_final": False, **sides},
    }  # fmt: skip
    (folder / "codec" / "BiCodec").mkdir(parents=True, exist_ok=True)
    _save({"audio_tokenizer": parts}, folder / "codec" / "BiCodec" / "config.yaml")
    rates = {
        "sample_rate": 16000,
        "ref_segment_duration": 6,
        "latent_hop_length": 320,
        "volume_normalize": True,
    }
    _save(rates, folder / "codec" / "config.yaml")
    built = {
        name: parts[name]
        for name in ("encoder", "decoder", "quantizer", "speaker_encoder", "prenet", "postnet")
    }
    classes = {
        "encoder": bicodec.Encoder, "decoder": bicodec.WaveGenerator,
        "quantizer": bicodec.FactorizedVectorQuantize,
        "speaker_encoder": bicodec.SpeakerEncoder, "prenet": bicodec.Decoder, "postnet": bicodec.Decoder,
    }  # fmt: skip
    networks = torch.nn.ModuleDict({name: classes[name](**asked) for name, asked in built.items()})
    _save(networks.state_dict(), folder / "codec" / "BiCodec" / "model.safetensors")
    listener = folder / "codec" / "wav2vec2-large-xlsr-53"
    small = {"num_hidden_layers": 1, "intermediate_size": 64}
    _save_listener(Wav2Vec2Model(Wav2Vec2Config(**small)), listener)
    Wav2Vec2FeatureExtractor().save_pretrained(str(listener))
    _save_listener(WavLMModel(WavLMConfig(**small)), folder / "wavlm-base-plus")


def _save_listener(network, folder):
    network.config.save_pretrained(str(folder))
    _save(network.state_dict(), folder / "pytorch_model.bin")


def _voicefixer(folder):
    import os

    analysis = folder / "analysis_module" / "checkpoints" / "vf.ckpt"
    synthesis = folder / "synthesis_module" / "44100" / "model.ckpt-1490000_trimed.pt"
    os.environ["HOME"] = str(folder)
    (folder / ".cache").mkdir(exist_ok=True)
    (folder / ".cache" / "voicefixer").symlink_to(folder)
    for path in (analysis, synthesis):  # the package would fetch what is not there while it is imported
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    from voicefixer.restorer.model import VoiceFixer as Analysis
    from voicefixer.vocoder.config import Config
    from voicefixer.vocoder.model.generator import Generator

    Config.refresh(44100)
    _save({"generator": Generator(Config.cin_channels).state_dict()}, synthesis)
    _save(Analysis(channels=2, sample_rate=44100).state_dict(), analysis)
    (folder / ".cache" / "voicefixer").unlink()


_WRITERS = {
    "anyenhance": _anyenhance,
    "anyenhance_v1": _anyenhance_v1,
    "flowse": _flowse,
    "llase_g1": _llase_g1,
    "resemble_enhance": _resemble_enhance,
    "sgmse": _sgmse,
    "unise": _unise,
    "voicefixer": _voicefixer,
}


if __name__ == "__main__":
    write_random_weights(*sys.argv[1:])
