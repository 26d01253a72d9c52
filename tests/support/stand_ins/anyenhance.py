"""AnyEnhance, as its worker meets it."""

from tests.support.stand_ins.asked import NOTE
from tests.support.stand_ins.masked import MASKED

FILES = {
    "asked.py": NOTE,
    "json5.py": "from json import load\n",
    "models/__init__.py": "",
    "models/se/__init__.py": "",
    "models/se/anyenhance/__init__.py": "",
    "models/se/anyenhance/modules/__init__.py": "",
    "models/se/anyenhance/modules/encoder_loss.py": "pretrained_path = None\n",
    "models/se/anyenhance/infer_anyenhance.py": MASKED
    + """

def get_model(dac_path, config, device):
    assert dac_path.endswith("dac/weights.pth")
    return Network(codec_of(dac_path)).to(device)


def process_single_audio(
    model, signal, device, task_type, window_size, overlap=1024, prompt_signal=None, timesteps=20,
    cond_scale=1, force_not_use_token_critic=False,
):
    assert window_size == 512 * 30 and task_type == "enhancement" and prompt_signal is None
    return _in_windows(
        model, signal, window_size, timesteps=timesteps, cond_scale=cond_scale,
        force_not_use_token_critic=force_not_use_token_critic,
    )
""",
}
