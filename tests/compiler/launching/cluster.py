"""A Slurm cluster of two nodes on this machine, from unpacked packages."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_CONFIGURATION = """
ClusterName=local
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
PluginDir={plugins}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=bf_interval=2,sched_interval=5
MpiDefault=none
ReturnToService=2
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
KillWait=60
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={first_port} CPUs={cpus} State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={second_port} CPUs={cpus} State=UNKNOWN
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A running cluster.

    Attributes:
        environment: in which `sbatch` and its kin speak to it.
    """

    environment: dict[str, str]

    def call(self, *command: str, cwd: Path | None = None) -> str:
        """Run a command of Slurm and return what it prints."""
        done = subprocess.run(
            command, env=self.environment, cwd=cwd, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    def state(self, job: str) -> dict[str, str]:
        """Return what `scontrol` knows of a job."""
        words = self.call("scontrol", "show", "job", job, "--oneliner").split()
        return dict(word.split("=", 1) for word in words if "=" in word)


@contextmanager
def cluster(root: Path, folder: Path, cpus: int) -> Iterator[Cluster]:
    """Start a cluster, and stop it at the end.

    Args:
        root: where the packages were unpacked.
        folder: of its configuration, logs and state; a short path, for it holds a socket.
        cpus: of each node.
    """
    libraries = next(root.glob("usr/lib/*/slurm-wlm")).absolute()
    host = socket.gethostname().split(".")[0]
    ports = [_free_port() for _ in range(3)]
    (folder / "slurm.conf").write_text(
        _CONFIGURATION.format(
            host=host,
            user=getpass.getuser(),
            folder=folder,
            plugins=libraries,
            cpus=cpus,
            controller_port=ports[0],
            first_port=ports[1],
            second_port=ports[2],
        )
    )
    for name in ("state", "spool-n1", "spool-n2"):
        (folder / name).mkdir()
    environment = {
        **os.environ,
        "SLURM_CONF": str(folder / "slurm.conf"),
        "LD_LIBRARY_PATH": f"{libraries.parent}:{libraries}",
        "PATH": f"{root.absolute()}/usr/bin:{root.absolute()}/usr/sbin:{os.environ['PATH']}",
        "MASTER_ADDR": "127.0.0.1",
    }
    (folder / "munge.key-file").write_bytes(os.urandom(128))
    (folder / "munge.key-file").chmod(0o600)
    munge = [
        f"--{option}={folder}/munge.{option}"
        for option in ("socket", "key-file", "pid-file", "log-file", "seed-file")
    ]
    stepd = f"{root.absolute()}/usr/sbin/slurmstepd-wlm"
    commands = [
        ["munged", "--force", "--foreground", *munge],
        ["slurmctld-wlm", "-D"],
        *(["slurmd-wlm", "-D", "-N", node, "-d", stepd] for node in ("n1", "n2")),
    ]
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:
            program = shutil.which(command[0], path=environment["PATH"])
            assert program is not None, f"no {command[0]} in {root}"
            with (folder / f"{command[0]}-{len(processes)}.out").open("wb") as output:
                processes.append(
                    subprocess.Popen(
                        [program, *command[1:]], env=environment, stdout=output, stderr=output
                    )
                )
            time.sleep(1)
        running = Cluster(environment=environment)
        _wait_for_nodes(running)
        yield running
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            process.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for_nodes(running: Cluster) -> None:
    for _ in range(60):
        states = running.call("sinfo", "--noheader", "--Node", "--format=%T").split()
        if states == ["idle", "idle"]:
            return
        time.sleep(1)
    raise AssertionError(f"nodes are {states}")
