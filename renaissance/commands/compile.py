"""`renaissance compile`: write a self-contained job folder, or the merged weights of a run."""

import shlex
from argparse import Namespace
from pathlib import Path

from renaissance.answer import FINE, NO, NO_ANSWER, answer
from renaissance.execution import meant, run_meant
from renaissance.grammar import load
from renaissance.grammar.names import plural
from renaissance.settings import settings_of


def run(arguments: Namespace) -> int:
    """Write the folder and say how to start what is in it."""
    if arguments.merged:
        return _merged(arguments)
    asked = {"nodes": arguments.nodes, "gpus": arguments.gpus, "hours": arguments.time}
    given = {name: value for name, value in asked.items() if value is not None}
    if given and arguments.scheduler != "slurm":
        failure = "`--nodes`, `--gpus` and `--time` are for a scheduler: add `--for slurm`"
        return answer(arguments, NO_ANSWER, failures=[failure])
    path, named = meant(arguments.file)
    if named and arguments.job and named != arguments.job:
        failure = f"`{arguments.file}` names one job and `--job {arguments.job}` another"
        return answer(arguments, NO_ANSWER, failures=[failure])
    spec = load(path, settings_of(arguments.settings))

    from renaissance.compiler.asked import check_asked, check_folder
    from renaissance.compiler.errors import BackboneError, CompileError

    job = arguments.job or named
    try:
        check_folder(Path(arguments.out))
    except CompileError as error:
        return answer(arguments, NO_ANSWER, failures=[str(error)])
    try:
        check_asked(spec, () if job is None else (job,))
        from renaissance.compiler import compile
        from renaissance.compiler.launching import Placement

        placement = Placement(**given) if arguments.scheduler == "slurm" else None
        folder = compile(spec, arguments.out, job, placement)
    except BackboneError as error:
        return answer(arguments, NO_ANSWER, failures=[str(error)])
    except CompileError as error:
        return answer(arguments, NO, failures=[str(error)])
    except OSError as error:
        reason = error.strerror or str(error)
        return answer(arguments, NO_ANSWER, failures=[f"cannot write to {arguments.out}: {reason}"])
    if arguments.format == "json":
        return answer(arguments, FINE, folder=str(folder))
    start = "launch.sh" if placement is None else "slurm.sh"
    script = shlex.quote(str(folder / start))
    print(f"wrote {folder}; start it with {'' if placement is None else 'sbatch '}{script}")
    return FINE


def _merged(arguments: Namespace) -> int:
    """Write what a job of a run learned, its adapters merged into the weights beside them."""
    folder, named = run_meant(arguments.file)
    if arguments.settings or arguments.scheduler != "local":
        failure = "`--merged` takes what a run has learned: leave `--set` and `--for` out"
        return answer(arguments, NO_ANSWER, failures=[failure])
    from renaissance.runtime.predicting.found import spec_in, training_meant

    training_meant(spec_in(Path(folder)), Path(folder), arguments.job or named)
    from renaissance.runtime.predicting.merged import write_weights
    from renaissance.runtime.predicting.trained import load_run

    trained = load_run(folder, arguments.job or named, merge=True, device="cpu")
    try:
        count = write_weights(trained, arguments.out)
    except OSError as error:
        reason = error.strerror or str(error)
        return answer(arguments, NO_ANSWER, failures=[f"cannot write to {arguments.out}: {reason}"])
    if arguments.format == "json":
        return answer(arguments, FINE, file=arguments.out, job=trained.job, tensors=count)
    written = plural(count, "tensor")
    print(f"wrote {written} of job {trained.job}, step {trained.step}, to {arguments.out}")
    return FINE
