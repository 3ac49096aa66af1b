"""How to get Visual Genome."""

from renaissance.grammar.kinds.how import How, Place, Size
from renaissance.runtime.formats.visual_genome.schema import VisualGenome

HOST = "https://homes.cs.washington.edu/~ranjay/visualgenome"
IMAGES = "https://cs.stanford.edu/people/rak248"


def how(block: VisualGenome) -> How:
    """Return what to get."""
    return How(
        name="Visual Genome, regions",
        root=block.root,
        places=(
            Place(
                path="region_descriptions.json",
                instead=("annotations/region_descriptions.json",),
                holds="phrases about regions, about 5.4 million",
                where=f"{HOST}/api.html",
            ),
            Place(
                path="image_data.json",
                instead=("annotations/image_data.json",),
                holds="what COCO and Flickr call each photograph; without it overlaps stay unseen",
                where=f"{HOST}/api.html",
                needed=False,
            ),
            Place(
                path="VG_100K",
                instead=("images/VG_100K",),
                holds="photographs",
                where=f"{IMAGES}/VG_100K_2/images.zip",
            ),
            Place(
                path="VG_100K_2",
                instead=("images/VG_100K_2",),
                holds="photographs",
                where=f"{IMAGES}/VG_100K_2/images2.zip",
            ),
        ),
        licence="CC BY 4.0",
        published=(HOST,),
        sizes={"": Size(images=108_077)},
        note="51,208 of the photographs are COCO's",
    )
