"""The arguments of every verb, declared without importing what runs it."""

from argparse import SUPPRESS, ArgumentParser

from renaissance.machines import declare_machine


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


def declare_check(parser: ArgumentParser) -> None:
    """Declare the arguments of `check`."""
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


def declare_fmt(parser: ArgumentParser) -> None:
    """Declare the arguments of `fmt`."""
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


def declare_show(parser: ArgumentParser) -> None:
    """Declare the arguments of `show`."""
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


def declare_plan(parser: ArgumentParser) -> None:
    """Declare the arguments of `plan`."""
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


def declare_bench(parser: ArgumentParser) -> None:
    """Declare the arguments of `bench`."""
    parser.add_argument("-o", "--out", metavar="FILE", help="write the figures here, as JSON")
    parser.add_argument("--device", metavar="DEVICE", help="such as cpu or cuda (default: best)")
    _format(parser, "json")


def declare_diff(parser: ArgumentParser) -> None:
    """Declare the arguments of `diff`."""
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


def declare_compile(parser: ArgumentParser) -> None:
    """Declare the arguments of `compile`."""
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


def declare_run(parser: ArgumentParser) -> None:
    """Declare the arguments of `run`."""
    parser.add_argument("folder", metavar="DIR", help="a job folder that `compile` wrote")
    parser.add_argument(
        "--fresh", action="store_true", help="start anew where a run could be resumed"
    )
    parser.add_argument("--device", metavar="DEVICE", help="such as cpu or cuda")
    _format(parser, "json")


def declare_train(parser: ArgumentParser) -> None:
    """Declare the arguments of `train`."""
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


def declare_study(parser: ArgumentParser) -> None:
    """Declare the arguments of `study`."""
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


def declare_report(parser: ArgumentParser) -> None:
    """Declare the arguments of `report`."""
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


def declare_eval(parser: ArgumentParser) -> None:
    """Declare the arguments of `eval`."""
    _spec(parser, "a spec or the name of a shipped one, with :JOB for one of its evaluations")
    _set(parser)
    parser.add_argument("-o", "--out", metavar="DIR", help="folder of the run (default: runs/NAME)")
    parser.add_argument("--device", metavar="DEVICE", help="such as cpu or cuda")
    _format(parser, "json")


def declare_predict(parser: ArgumentParser) -> None:
    """Declare the arguments of `predict`."""
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


def declare_data(parser: ArgumentParser) -> None:
    """Declare the arguments of `data`."""
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


def declare_score(parser: ArgumentParser) -> None:
    """Declare the arguments of `score`."""
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
        dest="settings",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="another key of the task; may be given several times",
    )
    _format(parser, "json")


def declare_explain(parser: ArgumentParser) -> None:
    """Declare the arguments of `explain`."""
    parser.add_argument(
        "code",
        metavar="CODE",
        nargs="?",
        help="a code such as VL204, a statement such as freeze, a word such as adamw, or a key "
        "such as pretrain.batch (default: list all codes)",
    )
    _format(parser, "json")


def declare_specs(parser: ArgumentParser) -> None:
    """Declare the arguments of `specs`."""
    parser.add_argument(
        "name", metavar="NAME", nargs="?", help="print this one (default: list all)"
    )
    parser.add_argument(
        "--from",
        dest="folder",
        metavar="FOLDER",
        help="print a model that starts from this folder of a published BLIP, CLIP, LXMERT, "
        "SigLIP, ViLT or VisualBERT, and computes the same",
    )
    _format(parser, "json")


def declare_lsp(parser: ArgumentParser) -> None:
    """Declare the arguments of `lsp`."""
    parser.add_argument(
        "--stdio", action="store_true", help="as editors say it; there is no other way"
    )
