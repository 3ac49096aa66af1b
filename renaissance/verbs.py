"""What a person types, and what it does."""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import NamedTuple

from renaissance import arguments


class Verb(NamedTuple):
    """A command; the code is in `renaissance.commands.<verb>`."""

    summary: str
    description: str
    declare: Callable[[ArgumentParser], None]


VERBS = {
    "check": Verb(
        "find all mistakes of specs",
        "Find all mistakes of specs in one pass.",
        arguments.declare_check,
    ),
    "fmt": Verb(
        "bring specs into canonical layout",
        "Bring specs into canonical layout. Comments stay, and nothing but layout changes.",
        arguments.declare_fmt,
    ),
    "show": Verb(
        "print a spec with everything resolved",
        "Print a spec without imports and inheritance, with every default written out.",
        arguments.declare_show,
    ),
    "plan": Verb(
        "show what would be built, with figures",
        "Show components, shapes, parameters, compute, memory and time of models and jobs.",
        arguments.declare_plan,
    ),
    "bench": Verb(
        "measure this machine for plans",
        "Measure matrix products, memory bandwidth and launches of this machine, for `plan`.",
        arguments.declare_bench,
    ),
    "diff": Verb(
        "compare what two specs mean",
        "Compare two specs, and say what each change does to a trained checkpoint.",
        arguments.declare_diff,
    ),
    "compile": Verb(
        "write a self-contained job folder",
        "Write a job folder: resolved spec, lock of versions and revisions, launch command.",
        arguments.declare_compile,
    ),
    "run": Verb(
        "run a job folder", "Run the job in a folder that `compile` wrote.", arguments.declare_run
    ),
    "train": Verb(
        "train and evaluate what a spec describes",
        "Run the jobs of a spec; a run that was stopped goes on where it was.",
        arguments.declare_train,
    ),
    "study": Verb(
        "run what a study compares",
        "Run the jobs of all variants and seeds of a study, equal ones once; a study that was "
        "stopped goes on where it was, and several processes may work on one.",
        arguments.declare_study,
    ),
    "report": Verb(
        "make the page about a run or a study",
        "Make the page about a run or a study again from what lies there, also while it runs; "
        "compare several runs.",
        arguments.declare_report,
    ),
    "eval": Verb(
        "evaluate a trained model", "Run the evaluations of a spec.", arguments.declare_eval
    ),
    "predict": Verb(
        "answer the rows of a table with a trained model",
        "Answer the rows of a table with what a job of a run learned. Nothing of what it learned "
        "from is needed, and nobody has to know what is right.",
        arguments.declare_predict,
    ),
    "data": Verb(
        "look at the data of a spec",
        "Show what the data of a spec consists of.",
        arguments.declare_data,
    ),
    "score": Verb(
        "measure a file of predictions",
        "Measure predictions, whoever made them, by the official protocol of a task.",
        arguments.declare_score,
    ),
    "explain": Verb(
        "explain the code of a finding, or a word",
        "Explain the code of a finding, with an example that fails and one that works, a word of "
        "the language with its keys, or a key.",
        arguments.declare_explain,
    ),
    "specs": Verb(
        "list the shipped specs",
        "List the specs that ship with the package.",
        arguments.declare_specs,
    ),
    "lsp": Verb(
        "serve an editor",
        "Serve an editor over standard input and output: findings, hover, completion, definitions, "
        "renaming, changes, layout. Editors start it; docs/editor.md says how.",
        arguments.declare_lsp,
    ),
}
