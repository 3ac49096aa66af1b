"""How to get easy-VQA."""

from renaissance.grammar.kinds.how import How, Place, Size
from renaissance.runtime.tasks.easy_vqa.schema import EasyVqa, easy_vqa_part


def how(block: EasyVqa) -> How:
    """Return what to get."""
    return how_of_folders(block.root, ("train", "test"))


def how_of_folders(root: str | None, folders: tuple[str, ...]) -> How:
    """Return what to get for some of its folders."""
    installed = easy_vqa_part(None, "train").folder
    home = root or (str(installed.parent) if installed is not None else "the package easy-vqa")
    return How(
        name="easy-VQA",
        root=home,
        places=tuple(
            place
            for folder in folders
            for place in (
                Place(
                    path=f"{folder}/questions.json",
                    holds="questions with answers",
                    of=(folder,),
                ),
                Place(
                    path=f"{folder}/images",
                    holds="images of 64 by 64 pixels",
                    of=(folder,),
                ),
            )
        ),
        licence="MIT",
        published=("https://pypi.org/project/easy-vqa/ (`pip install easy-vqa`)",),
        sizes={"train": Size(texts=38_575, images=4_000), "test": Size(texts=9_673, images=1_000)}
        if root is None
        else {},
    )
