"""What is asked of pairs, as tensors that a model reads."""

from collections.abc import Sequence

import numpy as np
import torch

from renaissance.compiler.batch import Candidates, Drawn, Items, PatchPlaces, Truth
from renaissance.runtime.data.places import HiddenImages, Places
from renaissance.runtime.data.targets import known
from renaissance.runtime.data.tokens import Padded
from renaissance.runtime.data.wanted import Group, KnownTruth, Wanted


def pair_items(
    wanted: Wanted, text: Padded, text_place: np.ndarray, image_places: Sequence[Places]
) -> Items:
    """Return what is asked of pairs, by where their texts and images are in a batch.

    Args:
        wanted: what is asked.
        text: tokens of the texts that are read.
        text_place: `[rows]` int64, which of the texts of the batch each of them is.
        image_places: where the images are, by stream that reads them.
    """
    places = [place.of(wanted.image) for place in image_places]
    image = places[0] if len(places) == 1 else np.stack(places, axis=1)
    positions = wanted.positions
    if positions is not None:
        # Among the tokens of the texts, one behind the other without padding.
        positions = (np.cumsum(text.present) - 1)[positions]
    return Items(
        text=torch.from_numpy(text_place[wanted.text]),
        image=torch.from_numpy(image),
        tokens=int(text.lengths[wanted.text].sum()),
        positions=None if positions is None else torch.from_numpy(positions),
        target=None if wanted.target is None else torch.from_numpy(wanted.target),
        known=known(wanted.target),
        group=None if wanted.group is None else _candidates(wanted.group),
        row=None if wanted.row is None else torch.from_numpy(wanted.row),
        numbers=None if wanted.numbers is None else torch.from_numpy(wanted.numbers),
        truth=None if wanted.truth is None else _truth(wanted.truth),
        drawn=None
        if wanted.turn is None
        else Drawn(row=torch.from_numpy(wanted.text), turn=torch.from_numpy(wanted.turn)),
    )


def patch_items(
    wanted: Wanted, text: Padded, text_place: np.ndarray, plain: Places, hidden: HiddenImages
) -> Items:
    """Return hidden patches; their images stand behind those that are shown as they are."""
    image = hidden.places.of(wanted.image)  # [pairs]
    pair, patch, place = hidden.chosen(image)
    whole = torch.from_numpy(plain.of(wanted.image)[pair]) if wanted.whole else None
    return Items(
        text=torch.from_numpy(text_place[wanted.text]),
        image=torch.from_numpy(image + len(plain.numbers)),
        tokens=int(text.lengths[wanted.text].sum()),
        patches=PatchPlaces(
            pair=torch.from_numpy(pair),
            patch=torch.from_numpy(patch),
            hidden=torch.from_numpy(place),
            whole=whole,
        ),
        target=None if wanted.target is None else torch.from_numpy(wanted.target),
        known=len(pair),
    )


def _truth(known: KnownTruth) -> Truth:
    return Truth(
        text=torch.from_numpy(known.text),
        image=torch.from_numpy(known.image),
        pairs=torch.from_numpy(known.pairs),
        contents=known.contents,
    )


def _candidates(group: Group) -> Candidates:
    return Candidates(
        item=torch.from_numpy(group.item),
        place=torch.from_numpy(group.place),
        items=int(group.item.max(initial=-1)) + 1,
        most=int(group.place.max(initial=-1)) + 1,
    )
