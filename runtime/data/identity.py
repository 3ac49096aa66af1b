"""Which photograph an image is, however and wherever it is stored.

Data sets share photographs: COCO's are in VQA v2, RefCOCO and Visual Genome, Flickr30k's in
SNLI-VE. The number that COCO, Flickr or Visual Genome gave a photograph tells it, be it in the name
of the file or beside it.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from renaissance.runtime.data.table import NAMESPACES, Table

IN_PATHS = {
    # COCO_val2014_000000391895.jpg; val2017/000000391895.jpg
    "coco": (
        r"COCO_(?:train|val|test)20\d\d_0*(?P<id>\d+)\.",
        r"(?:train|val|test|unlabeled)2017/0*(?P<id>\d+)\.\w+$",
    ),
    # flickr30k-images/1000092795.jpg; Flickr30K/images/1000092795.jpg
    "flickr": (r"(?i:flickr[-_]?30k)[^/]*(?:/[^/]+)*/(?P<id>\d{5,12})\.\w+$",),
    # VG_100K_2/1.jpg
    "vg": (r"VG_100K(?:_2)?/(?P<id>\d+)\.\w+$",),
}
"""Where the number of a photograph stands in the path of its file."""
AT_FLICKR = r"flickr\.com/(?:[^/?#]+/)*(?P<id>\d{5,})_[0-9a-f]+"
"""Where it stands in the address of a photograph at Flickr."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What data sets call the images of a table.

    Attributes:
        of: `[images]` strings by namespace, null where that set does not have the image, or nobody
            says whether it has.
        known: `[images]` bool by namespace: where it is known whether the set has the image.
    """

    of: dict[str, pa.Array]
    known: dict[str, np.ndarray]


def names_of(table: Table) -> Names:
    """Return what data sets call the images of a table, as its reader or their paths say."""
    paths = table.images.data.column("path").combine_chunks()
    of, known = {}, {}
    for space in NAMESPACES:
        named = pa.nulls(len(paths), pa.string())
        for pattern in IN_PATHS[space]:
            named = pc.coalesce(named, found_in(paths, pattern))
        told = space in table.images.column_names
        if told:
            declared = table.images.data.column(space).combine_chunks().cast(pa.string())
            named = pc.coalesce(declared, named)
        of[space] = named
        known[space] = np.ones(len(paths), bool) if told else np.asarray(pc.is_valid(named))
    return Names(of=of, known=known)


def at_flickr(addresses: pa.Array) -> pa.Array:
    """Return the numbers of photographs of which addresses `[n]` at Flickr are; null elsewhere."""
    return found_in(addresses, AT_FLICKR)


def found_in(texts: pa.Array, pattern: str) -> pa.Array:
    """Return what the group `id` of a pattern matches in each text; null where nothing does."""
    return pc.struct_field(pc.extract_regex(texts, pattern), [0])
