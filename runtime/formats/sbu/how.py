"""How to get SBU."""

from renaissance.grammar.kinds.how import How, Place, Size
from renaissance.runtime.formats.sbu.schema import Sbu

URL = "https://www.cs.rice.edu/~vo9/sbucaptions/"


def how(block: Sbu) -> How:
    """Return what to get."""
    return How(
        name="SBU captions",
        root=block.root,
        places=(
            Place(
                path="sbu-captions-all.json",
                instead=("SBU_captioned_photo_dataset_captions.txt", "annot.json", "00000"),
                holds="addresses and captions, in lists of equal length",
                where=f"{URL}sbu-captions-all.tar.gz",
            ),
            Place(
                path="dataset",
                instead=("images", "images_train", "00000"),
                holds="photographs, by the last part of their address; a downloader gets them",
            ),
        ),
        licence="not stated; photographs under their owners' terms",
        published=(URL,),
        sizes={"": Size(texts=1_000_000)},
        note="about 867,000 of the photographs could still be had when ViLT was trained; "
        "img2dataset's folders are read as they are, with `--output_format files`",
    )
