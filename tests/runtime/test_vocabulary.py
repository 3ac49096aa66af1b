"""The vocabulary of a job: its own, or the one of the job that it starts from."""

from pathlib import Path

import renaissance as rn
from renaissance.runtime.data import Tokenizer
from renaissance.runtime.data.job_tokenizer import job_tokenizer
from renaissance.runtime.data.tokenizer import TOKENIZER
from renaissance.runtime.vocabulary import kept_vocabulary

WORDLESS_FIRST = """
model tower {
  backbone text = plain_text { layers = 1, width = 16, heads = 2, vocabulary = 64 }
  backbone vision = plain_vision { layers = 1, width = 16, heads = 2, image_size = 64, patch = 32 }
  fusion cross = cross_attention(text, vision) { layers = 1, width = 16, heads = 2 }
}
data questions { format = easy_vqa }
finetune eyes on tower {
  task = easy_vqa { text = none }
  optimizer adamw { lr = 1e-3 }
  batch = 8
  steps = 1
}
pretrain base from eyes {
  data = [questions]
  objective mlm {}
  optimizer adamw { lr = 1e-3 }
  batch = 8
  steps = 1
}
finetune vqa from base { task = easy_vqa, optimizer adamw { lr = 1e-3 }, batch = 8, steps = 1 }
"""


def test_a_job_without_words_leaves_the_vocabulary_to_the_next(tmp_path: Path) -> None:
    spec = rn.loads(WORDLESS_FIRST)
    eyes, base = job_tokenizer(spec, "eyes"), job_tokenizer(spec, "base")
    assert eyes.wordless
    assert not base.wordless
    assert job_tokenizer(spec, "vqa").digest == base.digest

    for name, tokenizer in (("eyes", eyes), ("base", base)):
        (tmp_path / name).mkdir()
        tokenizer.save(tmp_path / name / TOKENIZER)
    for name, expected in (("eyes", eyes), ("base", base), ("vqa", base)):
        kept = kept_vocabulary(spec, name, tmp_path).tokenizer
        assert kept is not None
        assert kept.digest == expected.digest


def test_a_source_without_words_is_passed_over(tmp_path: Path) -> None:
    spec = rn.loads(WORDLESS_FIRST)
    (tmp_path / "eyes").mkdir()
    Tokenizer.learned((), 64).save(tmp_path / "eyes" / TOKENIZER)
    assert kept_vocabulary(spec, "base", tmp_path).tokenizer is None
