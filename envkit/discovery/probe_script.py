"""Say what this Python is, as one line of JSON between two marks. Run by probe.py as `python -c <this file> MARK [PREFIX]`.

It runs on Python 2.7, 3.6 and later and PyPy, with the standard library alone, and without `site`, so that no code of the
environment runs. Without `site` the prefix of a virtual environment is not known before Python 3.14, so it is told.

Importing `json` and `platform` takes a Python longer than its own start, and so does reading the variables of its build; so what
they would say is said without them, and they are imported only where this file does not know better.
"""

import sys

sys.path[:] = [entry for entry in sys.path if entry]  # Python 2.7 would import from the working directory


def base_of_python_2():
    """Return the base of an environment that virtualenv 20 made for Python 2.7; None in any other Python.

    It has of the standard library little more than `os.py`; its own `site` would add the rest, and that is not run.
    """
    if sys.version_info[0] > 2:
        return None
    try:
        with open(sys.prefix + "/pyvenv.cfg") as stream:
            lines = [line.partition("=") for line in stream.read(65536).splitlines()]
    except (IOError, OSError):
        return None
    for name, _, value in lines:
        if name.strip() == "base-prefix":
            base = value.strip()
            sys.path.extend([base + entry[len(sys.prefix) :] for entry in sys.path if entry.startswith(sys.prefix)])
            import encodings  # noqa: F401, PLC0415 - it could not be found when this Python began

            return base
    return None


later = base_of_python_2()

import os  # noqa: E402


def original_prefix():
    """Return the base of an environment that virtualenv made before version 20; None in any other Python.

    It links only part of the standard library; its own `site` would add the rest, and that is not run.
    """
    library = os.path.dirname(os.path.abspath(os.__file__))
    try:
        with open(os.path.join(library, "orig-prefix.txt")) as stream:
            base = stream.read().strip()
    except (IOError, OSError):
        return None
    sys.path.append(os.path.join(base, os.path.relpath(library, sys.prefix)))
    return base


original = original_prefix() or later

import sysconfig  # noqa: E402


def release(info):
    """Return the text of a version_info in the manner of PEP 440."""
    level = {"alpha": "a", "beta": "b", "candidate": "rc"}.get(info[3], "")
    return ".".join(map(str, info[:3])) + ("%s%d" % (level, info[4]) if level else "")


def machine():
    """Return system, release, version and machine; `platform` would start `uname` before Python 3.9."""
    if hasattr(os, "uname"):
        name = os.uname()
        return name[0], name[2], name[3], name[4]
    import platform  # noqa: PLC0415 - Windows has no uname

    return platform.system(), platform.release(), platform.version(), platform.machine()


def implementation():
    """Return the implementation as `sys`, and as `platform`, calls it."""
    known = getattr(sys, "implementation", None)
    if known is None:
        known_name = "pypy" if "PyPy" in sys.version else "cpython"
    else:
        known_name = known.name
    shown = {"cpython": "CPython", "pypy": "PyPy"}.get(known_name)
    if shown is None:
        import platform  # noqa: PLC0415 - an implementation of which this file does not know how it is shown

        shown = platform.python_implementation()
    return known_name, shown


def full_version():
    """Return what `platform.python_version()` returns: "3.13.0", "3.14.0rc1", "3.11.2+"."""
    stated = sys.version.split()[0]
    return stated + ".0" if stated.count(".") == 1 else stated


def free_threaded():
    """Say whether it is built to run without the GIL."""
    return "free-threading build" in sys.version or "t" in getattr(sys, "abiflags", "")


def paths(prefix, base, shown):
    """Return the sysconfig paths of the scheme that installers use: never Debian's `posix_local`, which is for /usr/local."""
    names = sysconfig.get_scheme_names()
    wanted = ["venv"] if os.path.realpath(prefix) != os.path.realpath(base) else []
    if shown == "PyPy":
        wanted.append("pypy")
    wanted.append("nt" if os.name == "nt" else "posix_prefix")
    scheme = next(name for name in wanted if name in names)
    places = {"base": prefix, "platbase": prefix, "installed_base": base, "installed_platbase": base}
    if os.name != "nt" and shown in {"CPython", "PyPy"}:
        minor = "%d.%d" % sys.version_info[:2]
        known = {
            "py_version_short": minor,
            "py_version_nodot": minor.replace(".", ""),
            "platlibdir": getattr(sys, "platlibdir", "lib"),
            "abiflags": getattr(sys, "abiflags", ""),
            "abi_thread": "t" if free_threaded() else "",
            "implementation": "PyPy" if shown == "PyPy" else "Python",
            "implementation_lower": "pypy" if shown == "PyPy" else "python",
        }
        known.update(places)
        try:
            found = sysconfig.get_paths(scheme, expand=False).items()
            return {name: os.path.normpath(text.format(**known)) for name, text in found}
        except (KeyError, ValueError, IndexError):
            pass  # a template with something that this file does not know: the build's variables have to be read
    return sysconfig.get_paths(scheme, places)


def written(value):
    """Return a value as JSON in ASCII; what Python 2.7 keeps as bytes as text."""
    if isinstance(value, dict):
        return "{%s}" % ", ".join("%s: %s" % (written(key), written(inner)) for key, inner in value.items())
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if value is None:
        return "null"
    if isinstance(value, bytes):
        value = value.decode(sys.getfilesystemencoding() or "utf-8", "replace")
    return '"%s"' % "".join(letter if " " <= letter <= "~" and letter not in '"\\' else escaped(ord(letter)) for letter in value)


def escaped(number):
    """Return a character by its number, as JSON writes it: those beyond the first plane as a pair."""
    if number > 0xFFFF:
        number -= 0x10000
        return "\\u%04x\\u%04x" % (0xD800 + (number >> 10), 0xDC00 + (number & 0x3FF))
    return "\\u%04x" % number


def main():
    """Print what there is to say."""
    base = original or getattr(sys, "base_prefix", getattr(sys, "real_prefix", sys.prefix))
    prefix = sys.argv[2] if len(sys.argv) > 2 and sys.argv[2] else sys.prefix
    known = getattr(sys, "implementation", None)
    name, shown = implementation()
    system, system_release, system_version, processor = machine()
    facts = {
        "executable": sys.executable,
        "prefix": prefix,
        "base_prefix": base,
        "version": release(sys.version_info),
        "implementation": name,
        "bits": 64 if sys.maxsize > 2**32 else 32,
        "free_threaded": free_threaded(),
        "markers": {
            "implementation_name": name if known else "",
            "implementation_version": release(known.version) if known else "0",
            "os_name": os.name,
            "platform_machine": processor,
            "platform_python_implementation": shown,
            "platform_release": system_release,
            "platform_system": system,
            "platform_version": system_version,
            "python_full_version": full_version(),
            "python_version": "%d.%d" % sys.version_info[:2],
            "sys_platform": sys.platform,
        },
        "paths": paths(prefix, base, shown),
    }
    sys.stdout.write("%s%s%s\n" % (sys.argv[1], written(facts), sys.argv[1]))
    sys.stdout.flush()


main()
