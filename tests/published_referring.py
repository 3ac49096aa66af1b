"""Small folders in the published layout of referring expressions."""

import json
import pickle
from pathlib import Path

import numpy as np
from PIL import Image

SPLITS = ("train",) * 6 + ("val",) * 2 + ("testA",) * 3 + ("testB",) * 2
SHADES = {"dark": 20, "gray": 128, "light": 230}


def write_refcoco(root: Path) -> Path:
    """Write RefCOCO's layout: in each photograph two to four boxes, of which one is meant."""
    home, folder = root / "refcoco", root / "images/mscoco/images/train2014"
    home.mkdir(parents=True)
    folder.mkdir(parents=True)
    images, annotations, references, found = [], [], [], []
    for number, split in enumerate(SPLITS):
        image, name = 100 + number, f"COCO_train2014_{100 + number:012d}.jpg"
        pixels = np.full((20, 40, 3), 90, np.uint8)
        shades = list(SHADES.items())[: 2 + number % 2]
        for place, (_, shade) in enumerate(shades):
            pixels[2:18, 10 * place : 10 * place + 9] = shade
            box = [10 * place, 2, 9, 16]
            annotations.append({"id": 1000 * image + place, "image_id": image, "bbox": box})
            found.append({"image_id": image, "bbox": [10 * place + 1, 2, 9, 15], "score": 0.9})
        # A box of one pixel that nobody means.
        tiny = {"id": 1000 * image + 9, "image_id": image, "bbox": [39.4, 19.5, 0.5, 0.4]}
        annotations.append(tiny)
        Image.fromarray(pixels).save(folder / name)
        images.append({"id": image, "file_name": name, "width": 40, "height": 20})
        meant = number // 2 % len(shades)
        sentences = [
            {
                "sent_id": 2 * number + which,
                "raw": said.upper(),
                "sent": said,
                "tokens": said.split(),
            }
            for which, said in enumerate((f"the {shades[meant][0]} one", shades[meant][0]))
        ]
        references.append(
            {
                "ref_id": number,
                "ann_id": 1000 * image + meant,
                "image_id": image,
                "split": split,
                "file_name": f"COCO_train2014_{image:012d}_{number}.jpg",
                "sentences": sentences,
            }
        )
    (home / "instances.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    (home / "refs(unc).p").write_bytes(pickle.dumps(references, protocol=2))
    (home / "detections.json").write_text(json.dumps(found))
    return root
