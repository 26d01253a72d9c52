"""AnyEnhance's first version, as its worker meets it."""

from tests.support.stand_ins.asked import NOTE
from tests.support.stand_ins.masked import MASKED

FILES = {
    "asked.py": NOTE,
    "json5.py": "from json import load\n",
    "config/anyenhance_v1.json": '{"model": {}}',
    "infer.py": MASKED
    + """

def get_model(config, device):
    assert config["dac_path"].endswith("dac/weights.pth")
    return Network(codec_of(config["dac_path"])).to(device)


def process_single_audio(model, signal, device, window_size, overlap=1024, timesteps=20, cond_scale=1):
    assert window_size == 512 * 20
    return _in_windows(model, signal, window_size, timesteps=timesteps, cond_scale=cond_scale)
""",
}
