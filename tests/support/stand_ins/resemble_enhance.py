"""Resemble Enhance, as its worker meets it."""

from tests.support.stand_ins.asked import NOTE

FILES = {
    "asked.py": NOTE,
    "resemble_enhance/__init__.py": "",
    "resemble_enhance/enhancer/__init__.py": "",
    "resemble_enhance/enhancer/inference.py": """
import torch
from asked import note


def download(run_dir=None):
    raise AssertionError("a run fetches nothing")


def load_enhancer(run_dir, device):
    path = download(run_dir) / "ds" / "G" / "default" / "mp_rank_00_model_states.pt"
    network = torch.nn.Linear(2, 2)
    network.load_state_dict(torch.load(path)["module"])
    return network


def enhance(dwav, sr, device, nfe=32, solver="midpoint", lambd=0.5, tau=0.5, run_dir=None):
    assert dwav.dim() == 1 and sr == 44100
    load_enhancer(run_dir, device)
    note(nfe=nfe, solver=solver, lambd=lambd, tau=tau)
    return dwav + tau * torch.randn_like(dwav), sr
""",
}
