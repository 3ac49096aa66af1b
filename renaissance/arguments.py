"""The arguments of every verb, declared without importing what runs it."""

from argparse import SUPPRESS, ArgumentParser
from collections.abc import Callable
from typing import NamedTuple

from renaissance.machines import declare_machine


class Verb(NamedTuple):
    """What a person types, and what it does; the code is in `renaissance.commands.<verb>`."""

    summary: str
    description: str
    declare: Callable[[ArgumentParser], None]


def _format(parser: ArgumentParser, *choices: str) -> None:
    parser.add_argument(
        "--format",
        choices=("text", *choices),
        default="text",
        help="how to print the answer (default: text)",
    )


def _spec(parser: ArgumentParser, meaning: str = "a spec, or the name of a shipped one") -> None:
    parser.add_argument("file", metavar="FILE", help=meaning)


def _set(parser: ArgumentParser, meaning: str = "another value than that of the file") -> None:
    parser.add_argument(
        "--set",
        dest="settings",
        metavar="ADDRESS=VALUE",
        action="append",
        default=[],
        help=f"{meaning}, such as base.batch=64; may be given several times",
    )


def _check(parser: ArgumentParser) -> None:
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="*",
        help="specs or folders of them; - is standard input (default: the working folder)",
    )
    parser.add_argument(
        "--fix",
        action="store_true",
        help="make the changes that findings suggest where only one can be meant, and say which; "
        "never what is frozen or how long is trained",
    )
    parser.add_argument("--deny-warnings", action="store_true", help="exit with 1 on warnings too")
    _set(parser)
    _format(parser, "json", "sarif")


def _fmt(parser: ArgumentParser) -> None:
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="*",
        help="specs or folders of them; - formats standard input (default: the working folder)",
    )
    parser.add_argument(
        "--check", action="store_true", help="change nothing, name the files that would change"
    )
    parser.add_argument(
        "--diff", action="store_true", help="change nothing, print what would change"
    )
    parser.add_argument(
        "--stdin-filename",
        metavar="NAME",
        default="<stdin>",
        help="what to call standard input in findings",
    )
    _format(parser, "json")


def _show(parser: ArgumentParser) -> None:
    _spec(parser)
    _set(parser)
    parser.add_argument("--origin", action="store_true", help="say where each value comes from")
    parser.add_argument("--hash", action="store_true", help="print only the spec's identity")
    parser.add_argument(
        "--study",
        metavar="NAME",
        help="list the cells of a study; with NAME:CELL print the spec of one, such as "
        "freezing:freeze=vision/seed=0",
    )
    _format(parser, "json")


def _plan(parser: ArgumentParser) -> None:
    _spec(parser, "a spec or the name of a shipped one, with :STUDY for one of its studies alone")
    _set(parser)
    parser.add_argument("--model", metavar="NAME", help="plan this model and its jobs only")
    parser.add_argument(
        "--tokens",
        metavar="N",
        type=int,
        help="mean tokens of a text, as `data` shows them (default: as many as the model takes)",
    )
    parser.add_argument(
        "--texts",
        metavar="[JOB=]N",
        action="append",
        default=[],
        help="texts of an epoch, as `data` shows them; gives jobs with epochs, and an evaluation "
        "that is named, a length; may be given several times",
    )
    declare_machine(parser)
    parser.add_argument(
        "--price",
        metavar="N",
        type=float,
        help="of an hour of the machine: what jobs and studies would cost",
    )
    parser.add_argument(
        "--summary",
        action="store_true",
        help="print the answer alone: whether it fits, time, cost, what would help",
    )
    _format(parser, "json")


def _bench(parser: ArgumentParser) -> None:
    parser.add_argument("-o", "--out", metavar="FILE", help="write the figures here, as JSON")
    parser.add_argument("--device", metavar="DEVICE", help="such as cpu or cuda (default: best)")
    _format(parser, "json")


def _diff(parser: ArgumentParser) -> None:
    for name, meaning in (("old", "the spec to compare with"), ("new", "the spec to judge")):
        parser.add_argument(
            name, metavar=name.upper(), help=f"{meaning}: a file, or git:REVISION:PATH"
        )
    _set(parser, "another value than that of NEW")
    parser.add_argument("--exit-code", action="store_true", help="exit with 1 if they differ")
    parser.add_argument(
        "--fail-on",
        metavar="CLASS",
        choices=("weights", "numerics", "training", "eval", "cosmetic"),
        help="exit with 1 on a change of this class or a stronger one: "
        "weights, numerics, training, eval, cosmetic",
    )
    parser.add_argument(
        "--plan",
        action="store_true",
        help="add tables of parameters, compute and memory; this plans both",
    )
    _format(parser, "json")


def _compile(parser: ArgumentParser) -> None:
    _spec(parser, "a spec or the name of a shipped one; with --merged the folder of a run")
    _set(parser)
    parser.add_argument(
        "-o",
        "--out",
        metavar="DIR",
        required=True,
        help="the job folder to write; with --merged a file, .safetensors",
    )
    parser.add_argument(
        "--merged",
        action="store_true",
        help="write the weights that a job of a run learned, low-rank adapters merged into them",
    )
    parser.add_argument(
        "--job", metavar="NAME", help="take this job only, with those that it builds on"
    )
    parser.add_argument(
        "--for",
        dest="scheduler",
        choices=("local", "slurm"),
        default="local",
        help="slurm: write a batch script beside the one for this machine",
    )
    slurm = parser.add_argument_group("with --for slurm")
    slurm.add_argument("--nodes", metavar="N", type=int, help="machines (default: 1)")
    slurm.add_argument(
        "--gpus", metavar="G", type=int, help="GPUs of each; 0 trains on its CPU (default: 1)"
    )
    slurm.add_argument("--time", metavar="H", type=float, help="hours (default: 24)")
    _format(parser, "json")


def _run(parser: ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="a job folder that `compile` wrote")
    parser.add_argument(
        "--fresh", action="store_true", help="start anew where a run could be resumed"
    )
    parser.add_argument("--device", metavar="DEVICE", help="such as cpu or cuda")
    _format(parser, "json")


def _train(parser: ArgumentParser) -> None:
    _spec(parser, "a spec or the name of a shipped one, with :JOB for one of its jobs")
    _set(parser)
    parser.add_argument("-o", "--out", metavar="DIR", help="folder of the run (default: runs/NAME)")
    parser.add_argument("--device", metavar="DEVICE", help="such as cpu or cuda")
    parser.add_argument(
        "--fresh",
        action="store_true",
        help="start anew: remove the results of the jobs, and of those that start from them",
    )
    _format(parser, "json")


def _study(parser: ArgumentParser) -> None:
    _spec(parser, "a spec or the name of a shipped one, with :STUDY where it has several")
    _set(parser)
    parser.add_argument(
        "-o", "--out", metavar="DIR", help="folder of the study (default: runs/FILE-STUDY)"
    )
    parser.add_argument(
        "--only",
        metavar="FACTOR=LEVEL",
        action="append",
        default=[],
        help="run these cells only, such as freeze=vision or seed=0; may be given several times",
    )
    parser.add_argument("--seeds", metavar="N,N", help="run these seeds in place of the study's")
    parser.add_argument(
        "--jobs", metavar="N", type=int, default=1, help="processes that work at the same time"
    )
    parser.add_argument("--device", metavar="DEVICE", help="such as cpu or cuda")
    parser.add_argument(
        "--power",
        metavar="POINTS",
        type=float,
        help="run nothing: say how many seeds a difference of so many points needs",
    )
    parser.add_argument(
        "--tokens",
        metavar="N",
        type=int,
        help="mean tokens of a text, as `data` shows them, for operations and budgets (default: as "
        "many as the model takes)",
    )
    declare_machine(parser)
    # How the processes of `--jobs` are started.
    parser.add_argument("--as-worker", action="store_true", help=SUPPRESS)
    parser.add_argument("--began", type=float, default=None, help=SUPPRESS)
    parser.add_argument("--workers", type=int, default=1, help=SUPPRESS)
    _format(parser, "json")


def _report(parser: ArgumentParser) -> None:
    parser.add_argument(
        "folders",
        metavar="DIR",
        nargs="+",
        help="the folder of a study or of a run, finished or not; several runs are compared",
    )
    parser.add_argument(
        "-o",
        "--out",
        metavar="FILE",
        help="page to write (default: report.html in the folder; comparison.html for several runs)",
    )
    parser.add_argument(
        "--plots",
        metavar="DIR",
        help="write the plots of a study or of compared runs into this folder, as SVG",
    )
    _format(parser, "json", "csv", "markdown", "latex")


def _eval(parser: ArgumentParser) -> None:
    _spec(parser, "a spec or the name of a shipped one, with :JOB for one of its evaluations")
    _set(parser)
    parser.add_argument("-o", "--out", metavar="DIR", help="folder of the run (default: runs/NAME)")
    parser.add_argument("--device", metavar="DEVICE", help="such as cpu or cuda")
    _format(parser, "json")


def _predict(parser: ArgumentParser) -> None:
    parser.add_argument(
        "run", metavar="RUN", help="the folder of a run, with :JOB where several jobs can answer"
    )
    parser.add_argument(
        "table",
        metavar="TABLE",
        help="rows to answer: CSV, JSON Lines or Parquet with the columns of the job's task",
    )
    parser.add_argument(
        "-o",
        "--out",
        metavar="FILE",
        help="write answers here, as its suffix says: .csv, .jsonl, .parquet (default: print them)",
    )
    parser.add_argument(
        "--root", metavar="DIR", help="folder that image paths start from (default: the table's)"
    )
    parser.add_argument(
        "--weights",
        choices=("average", "last"),
        help="which weights to take of a job that kept an average (default: the average)",
    )
    parser.add_argument("--batch", metavar="N", type=int, default=32, help="rows at once")
    parser.add_argument("--device", metavar="DEVICE", help="such as cpu or cuda")
    parser.add_argument(
        "--format",
        choices=("csv", "jsonl", "json"),
        help="how to print answers (default: csv)",
    )


def _data(parser: ArgumentParser) -> None:
    _spec(parser, "a spec or the name of a shipped one, with :JOB for one of its jobs")
    _set(parser)
    parser.add_argument(
        "--scan", action="store_true", help="open every image and name those that cannot be read"
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--how",
        action="store_true",
        help="say what to get where for each data set, under which licence, and what is missing",
    )
    instead.add_argument(
        "--overlap",
        action="store_true",
        help="say which images that something is measured on were learned from",
    )
    _format(parser, "json")


def _score(parser: ArgumentParser) -> None:
    parser.add_argument("task", metavar="TASK", help="the task, as a spec calls it, such as nlvr2")
    parser.add_argument(
        "file",
        metavar="FILE",
        help="predictions: the official file of the task, or JSON Lines of id and prediction; "
        "explain TASK shows a line",
    )
    parser.add_argument("--root", metavar="DIR", help="folder of the data, the task's key `root`")
    parser.add_argument("--split", metavar="NAME", required=True, help="what is predicted")
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="another key of the task; may be given several times",
    )
    _format(parser, "json")


def _explain(parser: ArgumentParser) -> None:
    parser.add_argument(
        "code",
        metavar="CODE",
        nargs="?",
        help="a code such as VL204, a statement such as freeze, a word such as adamw, or a key "
        "such as pretrain.batch (default: list all codes)",
    )
    _format(parser, "json")


def _specs(parser: ArgumentParser) -> None:
    parser.add_argument(
        "name", metavar="NAME", nargs="?", help="print this one (default: list all)"
    )
    _format(parser, "json")


def _lsp(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--stdio", action="store_true", help="as editors say it; there is no other way"
    )


VERBS = {
    "check": Verb("find all mistakes of specs", "Find all mistakes of specs in one pass.", _check),
    "fmt": Verb(
        "bring specs into canonical layout",
        "Bring specs into canonical layout. Comments stay, and nothing but layout changes.",
        _fmt,
    ),
    "show": Verb(
        "print a spec with everything resolved",
        "Print a spec without imports and inheritance, with every default written out.",
        _show,
    ),
    "plan": Verb(
        "show what would be built, with figures",
        "Show components, shapes, parameters, compute, memory and time of models and jobs.",
        _plan,
    ),
    "bench": Verb(
        "measure this machine for plans",
        "Measure matrix products, memory bandwidth and launches of this machine, for `plan`.",
        _bench,
    ),
    "diff": Verb(
        "compare what two specs mean",
        "Compare two specs, and say what each change does to a trained checkpoint.",
        _diff,
    ),
    "compile": Verb(
        "write a self-contained job folder",
        "Write a job folder: resolved spec, lock of versions and revisions, launch command.",
        _compile,
    ),
    "run": Verb("run a job folder", "Run the job in a folder that `compile` wrote.", _run),
    "train": Verb(
        "train and evaluate what a spec describes",
        "Run the jobs of a spec; a run that was stopped goes on where it was.",
        _train,
    ),
    "study": Verb(
        "run what a study compares",
        "Run the jobs of all variants and seeds of a study, equal ones once; a study that was "
        "stopped goes on where it was, and several processes may work on one.",
        _study,
    ),
    "report": Verb(
        "make the page about a run or a study",
        "Make the page about a run or a study again from what lies there, also while it runs; "
        "compare several runs.",
        _report,
    ),
    "eval": Verb("evaluate a trained model", "Run the evaluations of a spec.", _eval),
    "predict": Verb(
        "answer the rows of a table with a trained model",
        "Answer the rows of a table with what a job of a run learned. Nothing of what it learned "
        "from is needed, and nobody has to know what is right.",
        _predict,
    ),
    "data": Verb("look at the data of a spec", "Show what the data of a spec consists of.", _data),
    "score": Verb(
        "measure a file of predictions",
        "Measure predictions, whoever made them, by the official protocol of a task.",
        _score,
    ),
    "explain": Verb(
        "explain the code of a finding, or a word",
        "Explain the code of a finding, with an example that fails and one that works, a word of "
        "the language with its keys, or a key.",
        _explain,
    ),
    "specs": Verb("list the shipped specs", "List the specs that ship with the package.", _specs),
    "lsp": Verb(
        "serve an editor",
        "Serve an editor over standard input and output: findings, hover, completion, definitions, "
        "renaming, changes, layout. Editors start it; docs/editor.md says how.",
        _lsp,
    ),
}
