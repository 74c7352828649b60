"""The system calls behind namespaces, of Linux, which Python 3.11 has not (``os.unshare`` and ``os.setns`` came with 3.12)."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
from pathlib import Path

NEW_MOUNTS, NEW_USER, NEW_NETWORK = 0x00020000, 0x10000000, 0x40000000

_MS_BIND, _MS_REC, _MS_PRIVATE, _MS_NOSUID, _MS_NODEV = 0x1000, 0x4000, 1 << 18, 2, 4
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_SYS_MOUNT_SETATTR = 442  # the same on every architecture, as all calls since 5.1
_MOUNT_ATTR_RDONLY = 1
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECUREBITS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 38, 28, 47, 4
_SECURE_NOROOT_LOCKED = 0b11
_CAPABILITY_VERSION_3 = 0x20080522
_SYS_LANDLOCK_CREATE_RULESET, _SYS_LANDLOCK_RESTRICT_SELF = 444, 446
_LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET, _LANDLOCK_SCOPE_SIGNAL = 1, 2
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(kinds: int) -> None:
    """Leave the namespaces of these kinds for new ones. A new user namespace has the same user and group, and no others."""
    user, group = os.geteuid(), os.getegid()
    _check(_libc.unshare(kinds), "unshare")
    if kinds & NEW_USER:
        process = Path("/proc/self")
        (process / "setgroups").write_text("deny")
        (process / "uid_map").write_text(f"{user} {user} 1")
        (process / "gid_map").write_text(f"{group} {group} 1")


def enter(namespace: int) -> None:
    """Enter the namespace that a file descriptor stands for."""
    _check(_libc.setns(namespace, 0), "setns")


def forbid_user_namespaces() -> None:
    """Let nobody in this user namespace make another: they would have every capability there, and be nobody's to end.

    Where the machine's settings can not be written at all, what is mounted stays locked nevertheless.
    """
    with contextlib.suppress(OSError):
        Path("/proc/sys/user/max_user_namespaces").write_text("0")


def private_mounts() -> None:
    """What is mounted from now on is seen by this process and its children only."""
    _mount("none", "/", None, _MS_REC | _MS_PRIVATE)


def bind(source: int, target: Path, *, below: bool = False) -> None:
    """Show the directory or file of a descriptor at ``target``; ``below``: and what is mounted below it."""
    _mount(f"/proc/self/fd/{source}", str(target), None, _MS_BIND | (_MS_REC if below else 0))


def cover(target: Path) -> None:
    """An empty directory in memory over ``target``."""
    _mount("tmpfs", str(target), "tmpfs", _MS_NOSUID | _MS_NODEV)


def read_only(target: Path, *, on: bool, below: bool = False) -> None:
    """Forbid writing to a mount, or allow it again; ``below``: and to all mounts below it."""
    flags = struct.pack("QQQQ", _MOUNT_ATTR_RDONLY if on else 0, 0 if on else _MOUNT_ATTR_RDONLY, 0, 0)
    path = os.fsencode(target)
    result = _libc.syscall(_SYS_MOUNT_SETATTR, _AT_FDCWD, path, _AT_RECURSIVE if below else 0, flags, len(flags))
    _check(result, f"mount_setattr {target}")


def raise_loopback() -> None:
    """The loopback interface of a new network namespace is down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        (flags,) = struct.unpack_from("h", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request), 16)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))


def drop_privileges() -> None:
    """Give up every capability for good: those that a user has in its own namespace could undo the mounts."""
    _check(_libc.prctl(_PR_SET_SECUREBITS, _SECURE_NOROOT_LOCKED, 0, 0, 0), "securebits")
    _check(_libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "ambient capabilities")
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    _check(_libc.capset(struct.pack("Ii", _CAPABILITY_VERSION_3, 0), bytes(24)), "capset")


def keep_to_itself() -> None:
    """Signals and abstract unix sockets of this process and its children reach only these, by Landlock (Linux 6.12).

    It takes that no privileges can be gained. Older kernels have no such thing, and then nothing happens.
    """
    scopes = _LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | _LANDLOCK_SCOPE_SIGNAL
    rules = struct.pack("QQQ", 0, 0, scopes)
    descriptor = _libc.syscall(_SYS_LANDLOCK_CREATE_RULESET, rules, ctypes.c_size_t(len(rules)), 0)
    if descriptor < 0:
        return
    try:
        _check(_libc.syscall(_SYS_LANDLOCK_RESTRICT_SELF, descriptor, 0), "landlock_restrict_self")
    finally:
        os.close(descriptor)


def _mount(source: str, target: str, kind: str | None, flags: int) -> None:
    arguments = (os.fsencode(source), os.fsencode(target), os.fsencode(kind) if kind else None, ctypes.c_ulong(flags), None)
    _check(_libc.mount(*arguments), f"mount {target}")
