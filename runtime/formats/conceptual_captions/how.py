"""How to get Conceptual Captions."""

from renaissance.grammar.kinds.how import How, Place, Size
from renaissance.runtime.formats.conceptual_captions.schema import ConceptualCaptions

SIZES = {
    ("cc3m", "train"): Size(texts=3_318_333),
    ("cc3m", "validation"): Size(texts=15_840),
    ("cc12m", "train"): Size(texts=12_423_374),
}
TABLES = {
    ("cc3m", "train"): ("Train_GCC-training.tsv", "cc3m.tsv"),
    ("cc3m", "validation"): ("Validation_GCC-1.1.0-Validation.tsv",),
    ("cc12m", "train"): ("cc12m.tsv",),
}
"""What the published table is called, and what others call it, by set and split."""
URLS = {
    "cc3m": "https://ai.google.com/research/ConceptualCaptions/download",
    "cc12m": "https://github.com/google-research-datasets/conceptual-12m",
}


def how(block: ConceptualCaptions) -> How:
    """Return what to get."""
    which = (block.set, block.split)
    short = "train" if block.split == "train" else "val"
    table, *others = TABLES.get(which, TABLES["cc12m", "train"])
    folders = ("00000", f"{block.split}/00000")
    return How(
        name="Conceptual Captions 3M" if block.set == "cc3m" else "Conceptual 12M",
        root=block.root,
        places=(
            Place(
                path=table,
                instead=(*others, f"{short}_annot.json", *folders),
                holds="address TAB caption" if block.set == "cc12m" else "caption TAB address",
                where=URLS[block.set],
            ),
            Place(
                path="training" if block.split == "train" else "validation",
                instead=("images", f"images_{short}", *folders),
                holds="images, named after a checksum of their address; a downloader gets them",
            ),
        ),
        licence="free use, acknowledging Google; images under their owners' terms",
        published=(URLS[block.set],),
        sizes={"": SIZES[which]} if which in SIZES else {},
        note="part of the images cannot be had any more: 2,905,954 of 3M and 10,968,539 of 12M "
        "were there for open_clip; img2dataset's folders are read as they are, with "
        "`--output_format files`",
    )
