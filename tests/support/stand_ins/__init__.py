"""Stand-ins for the packages of published models: their names, arguments and shapes, and nothing else."""

from tests.support.stand_ins import (
    anyenhance,
    anyenhance_v1,
    flowse,
    llase_g1,
    resemble_enhance,
    sgmse,
    unise,
    voicefixer,
)

STAND_INS = {
    "voicefixer": voicefixer.FILES,
    "resemble_enhance": resemble_enhance.FILES,
    "sgmse": sgmse.FILES,
    "anyenhance_v1": anyenhance_v1.FILES,
    "anyenhance": anyenhance.FILES,
    "unise": unise.FILES,
    "llase_g1": llase_g1.FILES,
    "flowse": flowse.FILES,
}
"""By kind, the files of the package or checkout."""
