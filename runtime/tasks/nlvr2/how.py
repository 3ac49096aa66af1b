"""How to get NLVR2."""

from pathlib import Path

from renaissance.grammar.kinds.how import How, Place, Size
from renaissance.runtime.tasks.nlvr2.schema import FILES, Nlvr2

URL = "https://github.com/lil-lab/nlvr/tree/master/nlvr2"


def how(block: Nlvr2) -> How:
    """Return what to get; each file is needed only for what reads it."""
    texts = (
        Place(
            path=f"nlvr2/data/{file}",
            instead=(f"data/{file}", file),
            holds="sentences about pairs of photographs",
            where=URL,
            of=(split,),
        )
        for split, file in FILES.items()
    )
    images = (
        Place(
            path=folder,
            instead=instead,
            holds="photographs",
            where="a form at https://lil.nlp.cornell.edu/nlvr/",
            of=tuple(split for split in FILES if split.rpartition("_")[2] == Path(folder).name),
        )
        for folder, instead in (
            ("images/train", ("train",)),
            ("dev", ("images/dev",)),
            ("test1", ("images/test1",)),
            ("test2", ("images/test2",)),
        )
    )
    return How(
        name="NLVR2",
        root=block.root,
        places=(*texts, *images),
        licence="sentences CC BY 4.0; photographs for research alone",
        published=(URL,),
        sizes={
            "train": Size(texts=86_373),
            "dev": Size(texts=6_982),
            "test1": Size(texts=6_967),
            "test2": Size(texts=6_970),
            "balanced_dev": Size(texts=2_300),
            "unbalanced_dev": Size(texts=3_562),
        },
    )
