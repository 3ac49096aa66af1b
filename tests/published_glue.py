"""A few rows of each task of GLUE, in its published files."""

from pathlib import Path

WORDS = [
    "the",
    "cat",
    "sat",
    "on",
    "a",
    "mat",
    "while",
    "dogs",
    "ran",
    "over",
    "hills",
    "and",
    "birds",
    "sang",
]


FIRST = {"train": 0, "dev": 16, "test": 25}
"""Number of the first sentence of a split: what is learned from measures nothing."""


def sentence(number: int) -> str:
    return " ".join(WORDS[(number * 3 + k) % len(WORDS)] for k in range(4 + number % 3))


def write(path: Path, header: str | None, rows: list[list[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["\t".join(map(str, row)) for row in rows]
    head = [] if header is None else ["\t".join(header.split())]
    path.write_text("\n".join([*head, *lines]) + "\n", encoding="utf-8")


def write_glue(root: Path) -> Path:
    """Write 16 rows of each task to learn from, 9 to select by, and a few of hidden splits."""
    counts = {"train": 16, "dev": 9, "test": 7}
    for split, count in counts.items():
        rows = range(count)
        known = split != "test"
        said = range(FIRST[split], FIRST[split] + count)
        single = [sentence(n) for n in said]
        pair = [[sentence(n), f'a "lone quote {sentence(n + 5)}'] for n in said]
        if known:
            write(
                root / f"CoLA/{split}.tsv",
                None,
                [["gj04", n % 2, "*" * (1 - n % 2), single[n]] for n in rows],
            )
            write(root / f"SST-2/{split}.tsv", "sentence label", [[single[n], n % 2] for n in rows])
        else:
            for name in ("CoLA", "SST-2"):
                write(root / f"{name}/test.tsv", "index sentence", [[n, single[n]] for n in rows])
        for name, texts, label, words in (
            ("QNLI", "question sentence", "label", ["entailment", "not_entailment"]),
            ("RTE", "sentence1 sentence2", "label", ["entailment", "not_entailment"]),
            ("WNLI", "sentence1 sentence2", "label", [0, 1]),
            ("QQP", "qid1 qid2 question1 question2", "is_duplicate", [0, 1]),
        ):
            first = "id" if name == "QQP" else "index"
            more = [n * 2 for n in range(2)] if name == "QQP" and known else []
            texts = texts if known else texts.removeprefix("qid1 qid2 ")
            write(
                root / f"{name}/{split}.tsv",
                f"{first} {texts}" + (f" {label}" if known else ""),
                [[n, *more, *pair[n], *([words[n % 2]] if known else [])] for n in rows],
            )
        header = "index genre filename year old_index source1 source2 sentence1 sentence2"
        write(
            root / f"STS-B/{split}.tsv",
            header + (" score" if known else ""),
            [
                [n, "news", "f", 2017, n, "s", "s", *pair[n], *([f"{n % 6:.3f}"] if known else [])]
                for n in rows
            ],
        )
    for split, count, labels in (
        ("train", 16, "label1"),
        ("dev_matched", 9, "label1 label2 label3 label4 label5"),
        ("dev_mismatched", 8, "label1 label2 label3 label4 label5"),
        ("test_matched", 5, ""),
        ("test_mismatched", 6, ""),
    ):
        words, first = ["entailment", "neutral", "contradiction"], FIRST[split.partition("_")[0]]
        parses = ["promptID", "pairID", "genre", "s1b", "s2b", "s1p", "s2p"]
        header = f"index {' '.join(parses)} sentence1 sentence2 {labels}"
        write(
            root / f"MNLI/{split}.tsv",
            header + (" gold_label" if labels else ""),
            [
                [
                    *[n, *parses, sentence(first + n), sentence(first + n + 5)],
                    *(["neutral"] * len(labels.split()) + [words[n % 3]] if labels else []),
                ]
                for n in range(count)
            ],
        )
    write(
        root / "diagnostic/diagnostic.tsv",
        "index sentence1 sentence2",
        [[n, sentence(n), sentence(n + 2)] for n in range(5)],
    )
    write_mrpc(root / "MRPC")
    return root


def write_mrpc(folder: Path) -> None:
    """As Microsoft hands it out: a mark in front, and rows of `dev` among those to learn from."""
    folder.mkdir(parents=True)
    header = "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String"
    for name, first, count in (("train", 0, 25), ("test", FIRST["test"], 7)):
        rows = [
            f'{n % 2}\t{100 + n}\t{200 + n}\t{sentence(n)}\tsaid "{sentence(n + 5)}'
            for n in range(first, first + count)
        ]
        text = "\r\n".join([header, *rows]) + "\r\n"
        (folder / f"msr_paraphrase_{name}.txt").write_bytes(text.encode())
    chosen = "".join(f"{100 + n}\t{200 + n}\n" for n in range(0, 25, 3))
    (folder / "mrpc_dev_ids.tsv").write_text(chosen)
