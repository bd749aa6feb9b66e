"""Say what this Python is, as one line of JSON between two marks. Run by probe.py as `python -c <this file> MARK [PREFIX]`.

It runs on Python 2.7, 3.6 and later and PyPy, with the standard library alone, and without `site`, so that no code of the
environment runs. Without `site` the prefix of a virtual environment is not known before Python 3.14, so it is told.
"""

import sys

sys.path[:] = [entry for entry in sys.path if entry]  # Python 2.7 would import from the working directory

import json  # noqa: E402
import os  # noqa: E402
import platform  # noqa: E402
import sysconfig  # noqa: E402


def text(value):
    """Return what Python 2.7 keeps as bytes as text."""
    return value.decode(sys.getfilesystemencoding() or "utf-8", "replace") if isinstance(value, bytes) else value


def release(info):
    """Return the text of a version_info in the manner of PEP 440."""
    level = {"alpha": "a", "beta": "b", "candidate": "rc"}.get(info[3], "")
    return ".".join(map(str, info[:3])) + ("%s%d" % (level, info[4]) if level else "")


def machine():
    """Return system, release, version and machine; `platform` would start `uname` before Python 3.9."""
    if hasattr(os, "uname"):
        name = os.uname()
        return name[0], name[2], name[3], name[4]
    return platform.system(), platform.release(), platform.version(), platform.machine()


def paths(prefix, base):
    """Return the sysconfig paths of the scheme that installers use: never Debian's `posix_local`, which is for /usr/local."""
    names = sysconfig.get_scheme_names()
    wanted = ["venv"] if os.path.realpath(prefix) != os.path.realpath(base) else []
    if platform.python_implementation() == "PyPy":
        wanted.append("pypy")
    wanted.append("nt" if os.name == "nt" else "posix_prefix")
    scheme = next(name for name in wanted if name in names)
    return sysconfig.get_paths(scheme, {"base": prefix, "platbase": prefix, "installed_base": base, "installed_platbase": base})


def main():
    """Print what there is to say."""
    base = getattr(sys, "base_prefix", getattr(sys, "real_prefix", sys.prefix))
    prefix = sys.argv[2] if len(sys.argv) > 2 and sys.argv[2] else sys.prefix
    implementation = getattr(sys, "implementation", None)
    name = implementation.name if implementation else platform.python_implementation().lower()
    system, system_release, system_version, processor = machine()
    facts = {
        "executable": sys.executable,
        "prefix": prefix,
        "base_prefix": base,
        "version": release(sys.version_info),
        "implementation": name,
        "bits": 64 if sys.maxsize > 2**32 else 32,
        "free_threaded": "free-threading build" in sys.version or "t" in getattr(sys, "abiflags", ""),
        "markers": {
            "implementation_name": name if implementation else "",
            "implementation_version": release(implementation.version) if implementation else "0",
            "os_name": os.name,
            "platform_machine": processor,
            "platform_python_implementation": platform.python_implementation(),
            "platform_release": system_release,
            "platform_system": system,
            "platform_version": system_version,
            "python_full_version": platform.python_version(),
            "python_version": "%d.%d" % sys.version_info[:2],
            "sys_platform": sys.platform,
        },
        "paths": paths(prefix, base),
    }

    def told(value):
        return {key: told(inner) for key, inner in value.items()} if isinstance(value, dict) else text(value)

    sys.stdout.write("%s%s%s\n" % (sys.argv[1], json.dumps(told(facts)), sys.argv[1]))
    sys.stdout.flush()


main()
