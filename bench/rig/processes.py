"""Starts and stops processes, and measures what they and their children use."""

import os
import signal
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")


def run(*command, text=None, **options):
    """Returns the output."""
    try:
        result = subprocess.run(command, input=text, text=True, capture_output=True, **options)
    except subprocess.TimeoutExpired as cause:
        raise RuntimeError(str(cause)) from None
    if result.returncode:
        command = " ".join(command)
        raise RuntimeError(f"{command} {(text or '')[:500]}: {result.stdout}{result.stderr}")
    return result.stdout.strip()


def printed(*command):
    """All that it prints, however it ends."""
    return subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout


def attempt(*command):
    """Whether it succeeds."""
    try:
        run(*command)
        return True
    except (RuntimeError, OSError):
        return False


def start(command, log, environment=None):
    with open(log, "w") as output:
        return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                                stderr=output, start_new_session=True)


def wait_until(answers, process, log):
    for _ in range(300):
        if answers():
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    stop(process)
    raise RuntimeError(f"{process.args[0]} does not answer; see {log}")


def stop(process):
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def stat(pid):
    """The fields of /proc/PID/stat after the name, or None if the process is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()
    except OSError:
        return None


def tree(process):
    """The process and its descendants."""
    children = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if fields := stat(pid):
            children.setdefault(int(fields[1]), []).append(int(pid))
    found = [process.pid]
    for pid in found:
        found += children.get(pid, [])
    return found


def cpu(process):
    """The seconds of a process and its descendants, those that ended included."""
    fields = filter(None, map(stat, tree(process)))
    return sum(int(field) for it in fields for field in it[11:15]) / TICKS


def megabytes(process):
    """The memory (RSS) of a process and its descendants."""
    pages = sum(int(fields[21]) for fields in filter(None, map(stat, tree(process))))
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def busy():
    """The seconds that all processors of the machine have worked."""
    with open("/proc/stat") as file:
        user, nice, system, _idle, _waiting, *others = map(int, file.readline().split()[1:9])
    return (user + nice + system + sum(others)) / TICKS
