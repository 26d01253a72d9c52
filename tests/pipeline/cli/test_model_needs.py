"""What models need: figures from the tickets of a workspace, and what nobody has measured."""

from pipeline.cli.commands.model_needs import measured_in, models_in
from pipeline.progress.ticket_log import TicketLine
from stages.restorers.flowse import FlowSE
from stages.restorers.voicefixer import VoiceFixer


def _ticket(table: str, model_s: float, gpu_bytes: int = 0) -> TicketLine:
    """Return a ticket of ten seconds of audio with two takes."""
    times = {"finished_at_s": 0.0, "inside_s": 9.0, "wall_s": 9.0, "load_s": 1.0, "model_s": model_s}
    rest = {"folder": "f", "shard": "s", "takes": 2, "audio_s": 10.0, "peak_gpu_bytes": gpu_bytes}
    return TicketLine.model_validate({"table": table, **times, **rest})


def test_what_was_measured_here_is_said_and_the_rest_is_unknown() -> None:
    """Hours for a thousand candidates of five seconds, and the largest peak of the GPU's memory."""
    lines = [
        _ticket("restore.mine", 5.0, 2_000_000_000),
        _ticket("restore.mine", 15.0),
        _ticket("degrade", 1.0),
    ]

    measured = measured_in(lines, {"restore.mine": "flowse", "restore.voicefixer": "voicefixer"})
    flowse, voicefixer = models_in([FlowSE(), VoiceFixer()], {}, (), measured)

    assert measured["flowse"].hours == 0.5 * 5 * 1000 / 3600
    assert flowse.row[-2:] == ("2.0 GB (measured here)", "0.69 (measured here)")
    assert voicefixer.row[-2:] == ("none needed", "unknown")
