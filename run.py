#!/usr/bin/env python3
"""The one command of Tongshang: makes its own environment beside this file, then does what was asked in it.

    python3 run.py demo          one whole trade, step by step, then the portal to look around in
    python3 run.py test          the test suite
    python3 run.py --help        everything else

Until the environment exists only the standard library is used. The packages come from a file that pins each
of them with its hash. This file is read by any Python from 3.6 on, so that an old one can say what it needs.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys

NEEDS = (3, 11)
ROOT = os.path.dirname(os.path.realpath(__file__))
VENV = os.path.join(ROOT, ".venv")
STAMP = os.path.join(VENV, "made-by-run.json")
LOCKS = {"use": "requirements.lock", "test": "requirements-test.lock"}  # the second holds all of the first
VENV_HINT = (
    "On Debian and Ubuntu: apt-get install python3-venv. Elsewhere: install the complete Python, or uv."
)

# What an installer says, what that means, and what helps.
REMEDIES = (
    (
        ("DO NOT MATCH THE HASHES", "Hash mismatch", "hash mismatch"),
        "A package is not the one that was locked: its hash differs.",
        "Ask your package index for an unchanged copy; do not go on with this one.",
    ),
    (
        ("No space left", "Disk quota exceeded", "os error 28"),
        "The disk is full.",
        "Make room (the environment takes about 400 MB), then run the command again.",
    ),
    (
        ("Permission denied", "Read-only file system", "os error 13", "os error 30"),
        "This user may not write where the packages go.",
        "Copy the clone to a folder of your own, or give yourself the right to write there.",
    ),
    (
        (
            "Name or service not known",
            "name resolution",
            "nodename nor servname",
            "Connection refused",
            "Network is unreachable",
            "NewConnectionError",
            "timed out",
            "ProxyError",
            "SSLError",
            "CERTIFICATE_VERIFY_FAILED",
            "dns error",
            "error sending request",
            "Failed to fetch",
            "tcp connect error",
        ),
        "The package index cannot be reached.",
        "Check the network, the proxy (HTTPS_PROXY) and pip's index (pip config list); then run it again.",
    ),
    (
        ("No matching distribution", "Could not find a version", "no wheels", "not found in the package"),
        "The package index has not answered, or it lacks a package for this Python or this kind of machine.",
        "Check the network and pip's index (pip config list); use Python 3.11 to 3.14 on Linux or macOS.",
    ),
)


class Stopped(Exception):
    """Something the person at the terminal can mend."""

    def __init__(self, what, do, said=""):
        super().__init__(what)
        self.what = what
        self.do = do
        self.said = said


def main():
    arguments = sys.argv[1:]
    if sys.version_info < NEEDS:
        return tell(Stopped(*old_python(arguments)))
    if os.name != "posix":
        return tell(Stopped("Tongshang runs on Linux and macOS.", "On Windows run it inside WSL."))
    os.environ["PYTHONUTF8"] = "1"  # paths and files in any language, whatever the terminal's settings
    testing = arguments[:1] == ["test"]
    checking = arguments[:2] == ["plugin", "check"]  # runs a plugin's own tests
    try:
        python = environment("test" if testing or checking else "use")
    except Stopped as stop:
        return tell(stop)
    except OSError as error:
        what = f"{error.strerror or error}: {error.filename or VENV}"
        return tell(Stopped(what, f"Give this user room and the right to write in {ROOT}."))
    except KeyboardInterrupt:
        print("\nStopped. The next start goes on from here.", file=sys.stderr)
        return 130
    if testing:
        os.chdir(ROOT)
        if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):  # compiled once, but not into the clone
            os.environ.setdefault("PYTHONPYCACHEPREFIX", os.path.join(VENV, "compiled"))
        command = [python, "-P", "-m", "pytest"] + arguments[1:]
    else:
        command = [python, "-P", "-m", "core.cli"] + arguments
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(python, command)


def old_python(arguments):
    """What to say to a Python that is too old, naming a newer one on this machine."""
    what = "Tongshang needs Python 3.11 or newer; this is Python {}.{}.".format(*sys.version_info[:2])
    for minor in (14, 13, 12, 11):
        newer = shutil.which(f"python3.{minor}")
        if newer and run([newer, "-c", ""]).returncode == 0:
            return what, "You have one: {} run.py {}".format(newer, " ".join(arguments))
    return what, "Install Python 3.11 or newer, then run this again with it, such as: python3.12 run.py demo"


def environment(kind):
    """Path of the Python in an environment that holds exactly what the lock says; quick when it is there."""
    python = os.path.join(VENV, "bin", "python")
    wanted = {level: stamp_for(level) for level in LOCKS}
    if current(python) in (wanted[kind], wanted["test"]):
        return python
    with alone():
        held = current(python)
        if held in (wanted[kind], wanted["test"]):
            return python  # another start was quicker
        if held is not None and held.get("kind") == "test":
            kind = "test"  # what is there stays
        make(python, kind, wanted[kind], upgrade=held is not None)
    return python


def stamp_for(kind):
    """Everything the environment depends on, as plain values."""
    content = hashlib.sha256()
    for name in (LOCKS[kind], "setup.cfg", "pyproject.toml"):
        with open(os.path.join(ROOT, name), "rb") as file:
            content.update(file.read())
    return {
        "kind": kind,
        "content": content.hexdigest(),
        "root": ROOT,
        "python": "{}.{}.{}".format(*sys.version_info[:3]),
        "base": os.path.realpath(sys.base_prefix),
    }


def current(python):
    """The stamp of a finished environment, or None."""
    if not os.path.exists(python):
        return None
    try:
        with open(STAMP, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def make(python, kind, stamp, upgrade):
    uv = shutil.which("uv")
    say("Updating the environment." if upgrade else "First start: making the environment. This happens once.")
    if os.path.exists(STAMP):
        os.remove(STAMP)
    if not usable(python, stamp):
        shutil.rmtree(VENV, ignore_errors=True)
        say("1/3  Python environment in .venv")
        create(uv)
    lock = os.path.join(ROOT, LOCKS[kind])
    with open(lock, encoding="utf-8") as file:
        total = sum(1 for line in file if "==" in line and not line.startswith((" ", "#")))
    say(f"2/3  {total} locked packages")
    options = ["--require-hashes", "-r", lock]
    if not (uv and install_with_uv(uv, python, options)):
        install(python, pip(python) + ["install", "--no-input", "--progress-bar", "off"] + options, total)
    say("3/3  Tongshang itself")
    install(
        python, pip(python) + ["install", "--no-input", "--no-deps", "--no-build-isolation", "-e", "."], 0
    )
    point_at_clone()
    draft = STAMP + ".new"
    with open(draft, "w", encoding="utf-8") as file:
        json.dump(stamp, file, indent=2)
    os.replace(draft, STAMP)
    say("Ready.")


def point_at_clone():
    """Name the clone relative to the environment.

    Python 3.11 reads these files in the encoding of the terminal: a path with Chinese in it would stop every
    start under another locale.
    """
    site = os.path.join(VENV, "lib", "python{}.{}".format(*sys.version_info[:2]), "site-packages")
    for name in os.listdir(site):
        if name.startswith("__editable__.tongshang-") and name.endswith(".pth"):
            with open(os.path.join(site, name), "w", encoding="ascii") as file:
                file.write(os.path.relpath(ROOT, site) + "\n")


def usable(python, stamp):
    """Whether the Python in an unfinished or older environment still works and is the wanted one."""
    if not os.path.exists(python) or not os.path.exists(os.path.join(VENV, "pyvenv.cfg")):
        return False
    ask = "import sys, pip; print('%d.%d.%d' % sys.version_info[:3]); print(sys.prefix)"
    answer = subprocess.run([python, "-I", "-c", ask], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return answer.stdout.decode("utf-8", "replace").splitlines() == [stamp["python"], VENV]


def create(uv):
    if uv:
        made = run([uv, "venv", "--quiet", "--no-project", "--seed", "--python", sys.executable, VENV])
        if made.returncode == 0:
            return
        shutil.rmtree(VENV, ignore_errors=True)
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        raise Stopped(
            "This Python has no venv module, which makes environments.",
            VENV_HINT,
        ) from None
    made = run([sys.executable, "-m", "venv", VENV])
    if made.returncode != 0:
        said = made.stdout.decode("utf-8", "replace")
        shutil.rmtree(VENV, ignore_errors=True)
        raise explain(said, "The environment could not be made.", VENV_HINT)


def pip(python):
    return [python, "-I", "-m", "pip", "--disable-pip-version-check"]


def install_with_uv(uv, python, options):
    """uv is faster; but it may not know the index that pip is set to, so its failure is no failure yet."""
    command = [uv, "pip", "install", "--quiet", "--no-config", "--python", python]
    index = os.environ.get("PIP_INDEX_URL")
    if index and not (os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("UV_INDEX_URL")):
        command += ["--default-index", index]
    return run(command + options).returncode == 0


def install(python, command, total):
    """Run pip, showing how far it is; `Stopped` with the reason when it fails."""
    surroundings = dict(os.environ, PIP_USER="0", PIP_REQUIRE_VIRTUALENV="0", LC_ALL="C.UTF-8")
    said = []
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=surroundings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    seen = 0
    try:
        for raw in process.stdout:
            line = raw.decode("utf-8", "replace").rstrip()
            said.append(line)
            if line.startswith("Collecting ") and total:
                seen += 1
                progress("     {}/{}  {}".format(seen, total, line.split()[1].split("==")[0]))
            elif line.startswith("Installing collected"):
                progress("     unpacking")
        process.wait()
    finally:
        progress("")
        if process.poll() is None:
            process.terminate()
            process.wait()
    if process.returncode != 0:
        raise explain("\n".join(said), "The packages could not be installed.", "Read what pip says above.")


def run(command):
    return subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def explain(said, otherwise, do):
    tail = "\n".join([line for line in said.strip().splitlines() if line.strip()][-5:])
    for signs, what, remedy in REMEDIES:
        if any(sign in said for sign in signs):
            return Stopped(what, remedy, tail)
    return Stopped(otherwise, do, tail)


class alone:
    """One maker of the environment at a time; a second start waits for the first."""

    def __enter__(self):
        import fcntl

        self.file = open(os.path.join(ROOT, ".venv.lock"), "w")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another start is making the environment; waiting for it.")
            fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *error):
        self.file.close()


def say(line):
    print(line, file=sys.stderr, flush=True)


def progress(line):
    if sys.stderr.isatty():
        print("\r\033[K" + line, end="", file=sys.stderr, flush=True)


def tell(stop):
    if stop.said:
        say(stop.said)
    say("")
    say("Stopped: " + stop.what)
    say("    Do: " + stop.do)
    return 2


if __name__ == "__main__":
    sys.exit(main())
