"""How to get CIFAR."""

from renaissance.grammar.kinds.how import How, Place, Size
from renaissance.runtime.tasks.cifar import CifarTask

URL = "https://www.cs.toronto.edu/~kriz/cifar.html"


def how(block: CifarTask) -> How:
    """Return what to get."""
    archive = block.batches.replace("-batches-py", "-python")
    named = (block.names[0], *(file for files in block.files.values() for file in files))
    return How(
        name=f"CIFAR-{block.outputs}",
        root=block.root,
        places=tuple(
            Place(
                path=f"{block.batches}/{file}",
                instead=(file, "train" if file != block.files["test"][0] else "test"),
                holds="names of the classes" if file == block.names[0] else "images with classes",
                where=f"https://www.cs.toronto.edu/~kriz/{archive}.tar.gz",
                of=("test",) if file in block.files["test"] else (),
            )
            for file in named
        ),
        licence="not stated; cite Krizhevsky 2009",
        published=(URL,),
        sizes={
            "train": Size(texts=50_000, images=50_000),
            "test": Size(texts=10_000, images=10_000),
        },
        note="3.25 % of the test images of CIFAR-10 and 10 % of those of CIFAR-100 have near "
        "copies among the training images",
    )
