"""Draw the data that `shapes.vl` learns from: coloured squares and discs.

python -m renaissance_shapes.draw data
"""

import json
import sys
from pathlib import Path

from PIL import Image, ImageDraw

COLOURS = ("red", "green", "blue", "yellow")
SHAPES = ("square", "disc")


def draw(folder: Path, *, train: int = 48, test: int = 16) -> None:
    """Write images, `captions.jsonl`, and questions of `train.jsonl` and `test.jsonl`.

    No image is drawn twice: what is tested was not learned from.
    """
    (folder / "images").mkdir(parents=True, exist_ok=True)
    captions = []
    for part, numbers in (("train", range(train)), ("test", range(train, train + test))):
        questions = []
        for number in numbers:
            colour, shape = COLOURS[number % 4], SHAPES[number // 4 % 2]
            image = f"images/{part}{number}.png"
            _picture(colour, shape, number).save(folder / image)
            other = COLOURS[(number + 1) % 4]
            for asked, answer in ((colour, "yes"), (other, "no")):
                question = f"is there a {asked} {shape}?"
                questions.append({"image": image, "question": question, "answer": answer})
            if part == "train":
                captions.append({"image": image, "text": f"a {colour} {shape} on dark ground"})
        _write(folder / f"{part}.jsonl", questions)
    _write(folder / "captions.jsonl", captions)


def _picture(colour: str, shape: str, number: int) -> Image.Image:
    picture = Image.new("RGB", (32, 32), (number % 64, number // 64, 20))
    pen = ImageDraw.Draw(picture)
    paint = pen.rectangle if shape == "square" else pen.ellipse
    left = number % 12
    paint((left, 6, left + 18, 24), fill=colour)
    return picture


def _write(path: Path, lines: list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
