"""`dataclass` and `replace` for values, without the time that those of the standard library take before anything happens.

`dataclasses` imports `inspect`, and writes and compiles six methods for each class when the class is defined; of sixty classes most
processes use ten. Here a class gets its `__init__` when it is made for the first time, and its other methods are shared. Type checkers
see the standard library's, and so does everyone else: `dataclasses.fields`, `replace`, `asdict` and `is_dataclass` take these values,
`inspect.signature` shows their keywords, and they are compared, hashed, pickled and shown in the same way.

Only what values need: frozen, with slots, no inheritance of fields, and defaults that cannot be changed.

Source: dataclasses (docs.python.org), PEP 557, PEP 681.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass, replace as replace  # noqa: PLC0414 - to be imported from here
else:
    from operator import attrgetter

    _SLOTS = "__slots__"

    def dataclass(*, frozen=True, slots=True, kw_only=False):
        """Return the decorator that makes a class a value; `frozen` and `slots` are always so, and are said for checkers."""
        if not (frozen and slots):
            raise TypeError("a value is frozen and has slots; dataclasses.dataclass makes others")
        return lambda cls: _made(cls, kw_only=kw_only)

    def replace(value, /, **changes):
        """Return a value that is like another but for some fields."""
        names = getattr(value, _SLOTS)
        return value.__class__(**{name: getattr(value, name) for name in names if name not in changes}, **changes)

    def _made(cls, *, kw_only):
        annotations = cls.__annotations__
        names = tuple(annotations)
        space = dict(cls.__dict__)
        defaults = {name: space.pop(name) for name in names if name in space}
        for name in ("__dict__", "__weakref__"):
            space.pop(name, None)
        own = set(space)
        space[_SLOTS] = names
        for name, method in _SHARED.items():
            if name not in own or (name == "__hash__" and space[name] is None):
                space[name] = method
        space["__match_args__"] = () if kw_only else names
        space["__init__"] = init = _Init(names, defaults, kw_only=kw_only)
        space["__dataclass_fields__"] = _Described("__dataclass_fields__", annotations, defaults, kw_only=kw_only)
        space["__dataclass_params__"] = _Described("__dataclass_params__", annotations, defaults, kw_only=kw_only)
        made = type(cls)(cls.__name__, cls.__bases__, space)
        made.__qualname__ = cls.__qualname__
        init.made = made
        return made

    class _Init:
        """The `__init__` of a class that was not made yet: it is written when it is asked for, and takes this one's place."""

        def __init__(self, names, defaults, *, kw_only):
            self.names, self.defaults, self.kw_only = names, defaults, kw_only
            self.made = None

        def __get__(self, value, owner):
            made = self.made  # `owner` is not always the class: `inspect` asks on behalf of the class itself
            parameters = [f"{name}=_default_{name}" if name in self.defaults else name for name in self.names]
            lines = [f"def __init__(self, {'*, ' if self.kw_only and parameters else ''}{', '.join(parameters)}):"]
            lines += [f" _set_{name}(self, {name})" for name in self.names]
            lines.append(" self.__post_init__()" if hasattr(made, "__post_init__") else " return None")
            space = {f"_default_{name}": default for name, default in self.defaults.items()}
            space |= {f"_set_{name}": made.__dict__[name].__set__ for name in self.names}
            exec("\n".join(lines), space)  # noqa: S102 - as the standard library does it; names of fields alone go in
            init = space["__init__"]
            init.__qualname__, init.__module__ = f"{made.__qualname__}.__init__", made.__module__
            init.__annotations__ = {**made.__annotations__, "return": None}
            made.__init__ = init
            return init.__get__(value, owner)

    class _Described:
        """What the functions of `dataclasses` ask a class for: made by `dataclasses` itself when they do."""

        def __init__(self, name, annotations, defaults, *, kw_only):
            self.name, self.annotations, self.defaults, self.kw_only = name, annotations, defaults, kw_only

        def __get__(self, value, owner):
            import dataclasses  # noqa: PLC0415 - few ask

            space = {**self.defaults, "__annotations__": self.annotations, "__module__": owner.__module__, "__doc__": owner.__doc__}
            shadow = dataclasses.dataclass(frozen=True, kw_only=self.kw_only)(type(owner.__name__, (), space))
            for name in ("__dataclass_fields__", "__dataclass_params__"):
                setattr(owner, name, getattr(shadow, name))
            return getattr(owner, self.name)

    def _fields_of(value):
        names = getattr(value, _SLOTS)
        if not names:
            return ()
        found = attrgetter(*names)(value)
        return found if len(names) > 1 else (found,)

    def _eq(self, other):
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self is other or _fields_of(self) == _fields_of(other)

    def _hash(self):
        return hash(_fields_of(self))

    def _repr(self):
        return f"{self.__class__.__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in getattr(self, _SLOTS))})"

    def _setattr(self, name, value):
        from dataclasses import FrozenInstanceError  # noqa: PLC0415 - only for the error

        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def _delattr(self, name):
        from dataclasses import FrozenInstanceError  # noqa: PLC0415 - only for the error

        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def _getstate(self):
        return list(_fields_of(self))

    def _setstate(self, state):
        for name, value in zip(getattr(self, _SLOTS), state, strict=True):
            object.__setattr__(self, name, value)

    _SHARED = {
        "__eq__": _eq,
        "__hash__": _hash,
        "__repr__": _repr,
        "__setattr__": _setattr,
        "__delattr__": _delattr,
        "__getstate__": _getstate,
        "__setstate__": _setstate,
        "__replace__": replace,
    }
