"""What plans say about data, where they are there: what an epoch shows, and what is seen twice."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from renaissance.data_overlap import short
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.spec import Spec


def remarks_on_data(spec: Spec) -> tuple[list[str], dict[str, Any]]:
    """Return sentences, and the same for programs; none where data cannot be read.

    Files of images are not opened: what only they could tell stays untold.
    """
    from renaissance.runtime.data.errors import DataError

    try:
        mixtures = list(_mixtures(spec))
        found = list(_overlaps(spec))
    except (DataError, OSError):
        return [], {}
    told = [line for _, lines, _ in mixtures for line in lines]
    told += [short(overlap) for overlap in found]
    return told, {
        "mixtures": [{"job": job, "blocks": blocks} for job, _, blocks in mixtures],
        "overlaps": [asdict(overlap) for overlap in found],
    }


def _mixtures(spec: Spec) -> Iterator[tuple[str, list[str], list[dict[str, Any]]]]:
    """Yield jobs that learn from several blocks, by weight, or from less than all."""
    from renaissance.runtime.data.mixture import mixture
    from renaissance.runtime.data.parts import Parts

    for name, job in spec.jobs.items():
        if not isinstance(job, Pretrain):
            continue
        blocks = [spec.data[block] for block in job.data]
        if len(blocks) == 1 and blocks[0].weight == 1 and not blocks[0].exclude:
            continue
        part = Parts(spec, job)["train"]
        shares = mixture(part)
        lines = []
        if shares:
            epoch = sum(share.texts * share.weight for share in shares)
            each = ", ".join(
                f"{share.share:.1%} `{share.name}` ({share.texts:,} texts × {share.weight:g})"
                for share in shares
            )
            lines.append(f"an epoch of job `{name}` shows {round(epoch):,} texts: {each}")
        if part.table.excluded:
            left = f"{part.table.excluded:,} texts about images that are measured on"
            lines.append(f"job `{name}` leaves out {left}")
        yield name, lines, [asdict(share) for share in shares]


def _overlaps(spec: Spec) -> Iterator[Any]:
    from renaissance.runtime.data.overlap import overlaps

    if any(isinstance(job, Finetune) for job in spec.jobs.values()):
        # What selects a best checkpoint is left out in training.
        found = overlaps(spec, digests=False)
        yield from (one for one in found if one.images and not one.withheld)
