"""How to get the tasks of GLUE."""

from renaissance.grammar.kinds.how import How, Place, Size
from renaissance.runtime.tasks.glue.schema import Glue

ROWS = {
    "cola": (8_551, 1_043, 1_063),
    "sst2": (67_349, 872, 1_821),
    "mrpc": (3_668, 408, 1_725),
    "qqp": (363_846, 40_430, 390_965),
    "stsb": (5_749, 1_500, 1_379),
    "qnli": (104_743, 5_463, 5_463),
    "rte": (2_490, 277, 3_000),
    "wnli": (635, 71, 146),
}
MNLI = {
    "train": Size(texts=392_702),
    "dev_matched": Size(texts=9_815),
    "dev_mismatched": Size(texts=9_832),
    "test_matched": Size(texts=9_796),
    "test_mismatched": Size(texts=9_847),
    "diagnostic": Size(texts=1_104),
    "diagnostic_full": Size(texts=1_104),
}


def how(block: Glue) -> How:
    """Return what to get for one of them."""
    layout = block.layout
    files = {**layout.train, **layout.tests}
    splits = ("train", "dev", "test")
    sizes = {"ax": {**MNLI, "test": Size(texts=1_104)}, "mnli": MNLI}.get(block.subtask) or {
        split: Size(texts=count) for split, count in zip(splits, ROWS[block.subtask], strict=True)
    }
    return How(
        name=f"GLUE, {layout.folder}",
        root=block.root,
        places=tuple(
            Place(
                path=file.removeprefix("../")
                if file.startswith("../")
                else f"{layout.folder}/{file}",
                holds="rows with what is right" if split in layout.train else "rows without it",
                of=(split,),
            )
            for split, file in files.items()
        ),
        licence="that of each task; most for research",
        published=("https://gluebenchmark.com/tasks",),
        sizes=sizes,
    )
