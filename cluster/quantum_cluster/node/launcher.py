"""Prepares a container's private view of the machine, then becomes its command.  Stand-alone: only the standard library.

In    a JSON file: argv, env, cwd or scratch directory, hostname, mounts, parent pid
Out   never returns: the recorded pid is the workload's own
Flow  node -> `python -I -S launcher.py FILE` -> HERE -> execvpe(command)
Why   no wrapper stays behind: signals, exit codes and /proc are those of the program
"""

import ctypes
import json
import os
import signal
import sys

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWUSER = 0x00020000, 0x04000000, 0x10000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
PR_SET_PDEATHSIG = 1

libc = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    encoded = [None if each is None else each.encode() for each in (source, target, kind)]
    check(libc.mount(*encoded, ctypes.c_ulong(flags), None if data is None else data.encode()), f"mount {source} on {target}")


def enter_namespaces() -> None:
    """Own mounts and host name; an ordinary user gets the right to mount from a user namespace that maps only itself."""
    uid, gid = os.geteuid(), os.getegid()
    flags = CLONE_NEWNS | CLONE_NEWUTS | (0 if uid == 0 else CLONE_NEWUSER)
    check(libc.unshare(flags), "unshare")
    if uid != 0:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            with open(f"/proc/self/{name}", "w") as handle:
                handle.write(text)
    mount("none", "/", None, MS_REC | MS_PRIVATE)


def bind(descriptor: int, target: str, read_only: bool) -> None:
    """Sources are open already: the fresh /run or a volume on /tmp may hide their paths."""
    source = f"/proc/self/fd/{descriptor}"
    make_place(target, os.path.isdir(source))
    mount(source, target, None, MS_BIND | MS_REC)
    if read_only:
        mount("none", target, None, MS_REMOUNT | MS_BIND | MS_RDONLY | kept_flags(target))


def kept_flags(target: str) -> int:
    """Flags the mount has now: a user namespace may add to them, never drop one.  relatime is 4096 to statvfs and 1 << 21 to mount."""
    flags = os.statvfs(target).f_flag
    return flags & (MS_NOSUID | MS_NODEV | os.ST_NOEXEC | os.ST_NOATIME | os.ST_NODIRATIME) | (1 << 21 if flags & os.ST_RELATIME else 0)


def make_place(target: str, directory: bool) -> None:
    if os.path.exists(target):
        return
    os.makedirs(target if directory else os.path.dirname(target), exist_ok=True)
    if not directory:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))


def prepare(spec: dict) -> None:  # type: ignore[type-arg]
    enter_namespaces()
    check(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
    if os.getppid() != spec["parent"]:
        raise OSError("the node is gone")
    name = spec["hostname"].encode()
    check(libc.sethostname(name, len(name)), "sethostname")
    opened = [(os.open(each["source"], os.O_PATH | os.O_CLOEXEC), each) for each in spec["mounts"]]
    scratch = os.open(spec["scratch"], os.O_PATH | os.O_CLOEXEC)
    mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755")
    for descriptor, each in opened:
        bind(descriptor, each["target"], each["read_only"])
    if spec["cwd"]:
        os.chdir(spec["cwd"])
    else:
        os.fchdir(scratch)


def main() -> None:
    with open(sys.argv[1]) as handle:
        spec = json.load(handle)
    try:
        prepare(spec)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execvpe(spec["argv"][0], spec["argv"], spec["env"])  # noqa: S606 — becoming the workload is the point
    except OSError as error:
        print(f"cannot start {spec['argv'][0]}: {error}", file=sys.stderr, flush=True)
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)


if __name__ == "__main__":
    main()
