"""How to get SNLI-VE."""

from renaissance.grammar.kinds.how import How, Place, Size
from renaissance.runtime.tasks.snli_ve.schema import SnliVe

URL = "https://github.com/necla-ml/SNLI-VE"


def how(block: SnliVe) -> How:
    """Return what to get."""
    return How(
        name="SNLI-VE",
        root=block.root,
        places=(
            *(
                Place(
                    path=f"snli_ve_{split}.jsonl",
                    instead=(f"data/snli_ve_{split}.jsonl",),
                    holds="sentences about photographs, with what people say",
                    where=URL,
                    of=(split,),
                )
                for split in ("train", "dev", "test")
            ),
            Place(
                path="flickr30k-images",
                instead=(
                    "Flickr30K/images",
                    "flickr30k_images",
                    "flickr30k-images/flickr30k-images",
                    "flickr30k_images/flickr30k_images",
                    "flickr30k/flickr30k-images",
                ),
                holds="31,783 photographs `<id>.jpg`",
                where="https://shannon.cs.illinois.edu/DenotationGraph/ (a form to fill in)",
            ),
        ),
        licence="texts of SNLI CC BY-SA 4.0; photographs of Flickr30k for research alone",
        published=(URL,),
        sizes={
            "train": Size(texts=529_527, images=29_783),
            "dev": Size(texts=17_858, images=1_000),
            "test": Size(texts=17_901, images=1_000),
        },
        note="970 photographs of `dev` are among those that Flickr30k Entities learns from, and "
        "most of Karpathy's Flickr30k `train` is in `train` here",
    )
