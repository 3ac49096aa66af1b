"""How to get the Arrow files of ViLT and METER."""

from renaissance.grammar.kinds.how import How, Place
from renaissance.runtime.formats.vilt_arrow.schema import ViltArrow

REPOSITORY = "https://github.com/dandelin/ViLT"


def how(block: ViltArrow) -> How:
    """Return what to get."""
    stems = [name.removesuffix(".arrow") for name in block.names]
    return How(
        name="Arrow files of ViLT and METER",
        root=block.root,
        places=tuple(
            Place(
                path=f"{stem}.arrow",
                instead=(f"{stem}_0.arrow",),
                holds="images with their captions; of several files `_0` is the first",
                where=f"{REPOSITORY}/blob/master/DATA.md",
            )
            for stem in stems
        ),
        licence="that of the sets which they were made of",
        published=(REPOSITORY,),
        note="nobody publishes the files: converters of ViLT make them of published sets",
    )
