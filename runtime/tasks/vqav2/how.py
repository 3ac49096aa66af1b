"""How to get VQA v2."""

from renaissance.grammar.kinds.how import How, Place, Size
from renaissance.runtime.tasks.vqav2.schema import LABELLED, SUBSETS, Vqav2, images_of

HOST = "https://s3.amazonaws.com/cvmlp/vqa/mscoco/vqa"
IMAGES = "http://images.cocodataset.org/zips"
SIZES = {
    "train": Size(texts=443_757, images=82_783),
    "val": Size(texts=214_354, images=40_504),
    "train_val": Size(texts=658_111, images=123_287),
    "test": Size(texts=447_793, images=81_434),
    "test_dev": Size(texts=107_394),
}
FOLDERS = {"train2014": "82,783", "val2014": "40,504", "test2015": "81,434"}


def how(block: Vqav2) -> How:
    """Return what to get; without the test questions everything but `test` can be read."""
    texts = []
    for split, subset in SUBSETS.items():
        kind = {"train": "Train", "val": "Val"}.get(split, "Test")
        labelled = split in LABELLED  # all their answers make the vocabulary
        texts.append(
            Place(
                path=f"v2_OpenEnded_mscoco_{subset}_questions.json",
                holds="questions",
                where=f"{HOST}/v2_Questions_{kind}_mscoco.zip",
                of=() if labelled else (split,),
            )
        )
        if labelled:
            texts.append(
                Place(
                    path=f"v2_mscoco_{subset}_annotations.json",
                    holds="ten answers to each question",
                    where=f"{HOST}/v2_Annotations_{kind}_mscoco.zip",
                )
            )
    images = (
        Place(
            path=images_of("", split).name,
            holds=f"{FOLDERS[SUBSETS[split]]} photographs",
            where=f"{IMAGES}/{SUBSETS[split]}.zip",
            of=() if split in LABELLED else ("test", "test_dev"),
        )
        for split in ("train", "val", "test")
    )
    return How(
        name="VQA v2",
        root=block.root,
        places=(*texts, *images),
        licence="questions and answers CC BY 4.0; photographs of COCO under terms of their own",
        published=("https://visualqa.org/download.html",),
        sizes=SIZES,
        note="its photographs are COCO's: those of `val` are in Karpathy's `val` and `test`",
    )
