"""How to get Cornell NLVR v1."""

from pathlib import Path

from renaissance.grammar.kinds.data import VALIDATION
from renaissance.grammar.kinds.how import How, Place
from renaissance.runtime.tasks.nlvr.schema import Nlvr

PUBLISHED = ("train", "dev", "test", "hidden")
URL = "https://github.com/lil-lab/nlvr/tree/master/nlvr"


def how(block: Nlvr) -> How:
    """Return what to get."""
    splits = block.splits()
    return how_of_folders(block.root, (splits["train"].file, splits[VALIDATION].file, *PUBLISHED))


def how_of_folders(root: str, folders: tuple[str, ...]) -> How:
    """Return what to get for some of its folders, each of which is a part of its own."""
    return How(
        name="Cornell NLVR v1",
        root=root,
        places=tuple(
            place
            for folder in dict.fromkeys(folders)
            for place in (
                Place(
                    path=str(Path(folder, f"{folder}.json")),
                    holds="sentences",
                    where=URL,
                    of=(folder,),
                ),
                Place(
                    path=str(Path(folder, "images")),
                    holds="drawn images",
                    where=URL,
                    of=(folder,),
                ),
            )
        ),
        licence="see the repository",
        published=(URL,),
    )
