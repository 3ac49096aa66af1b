"""What is known of all models and jobs of a spec, as data."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from renaissance.compiler.planning.job_plan import JobPlan
from renaissance.compiler.planning.machines import Machine
from renaissance.compiler.planning.model_plan import ModelPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All models of a spec, and its jobs.

    Attributes:
        models: alone, with one text and one image.
        jobs: with what their steps cost.
        device: whose memory is predicted.
        machine: whose speed is predicted; None where none is named.
    """

    models: tuple[ModelPlan, ...]
    jobs: tuple[JobPlan, ...]
    device: Literal["cpu", "cuda"]
    machine: Machine | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as nested dictionaries and lists, ready for JSON."""
        return _plain(asdict(self))  # type: ignore[no-any-return]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(part) for part in value]
    return value
