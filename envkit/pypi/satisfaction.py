"""Which requirements what is installed satisfies, by reading files: the question that makes a second `ensure` plan nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from ..errors import UsageError
from ..formats import pyvenv_cfg
from ..formats.dist_info import normalized
from ..models.specs import Project
from ..system.secrets import masked
from ..system.sites import site_packages
from .inventory import Distribution, in_directories
from .markers import markers_of

if TYPE_CHECKING:
    from ..formats.direct_url import DirectUrl
    from ..host import Host
    from ..models.environment import Environment


def unsatisfied_of(env: Environment, wanted: Iterable[str | Project], host: Host) -> tuple[str | Project, ...]:
    """Return those of the wanted requirements that are not satisfied; see `envkit.pypi.unsatisfied`."""
    asked = tuple(wanted)
    if all(isinstance(requirement, Project) for requirement in asked):
        return asked
    target = Target(env, host)
    return tuple(requirement for requirement in asked if isinstance(requirement, Project) or not target.satisfies(requirement))


class Target:
    """What is installed in an environment, and its markers."""

    def __init__(self, env: Environment, host: Host) -> None:
        """Read what is installed, once for all questions."""
        self._installed = {found.name: found for found in in_directories(_visible(env, host))}
        self._markers = markers_of(env, host)

    @property
    def installed(self) -> Mapping[str, Distribution]:
        """The distributions that count, by normalized name."""
        return self._installed

    def applies(self, requirement: Requirement) -> bool:
        """Say whether a requirement asks for anything on this target, without extras."""
        return requirement.marker is None or requirement.marker.evaluate({**self._markers, "extra": ""})

    def satisfies(self, text: str) -> bool:
        """Say whether a requirement, as text, is satisfied.

        Raises:
            UsageError: it is none.
        """
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            said = str(error).split("\n", 1)[0]
            raise UsageError(f"{masked(text)!r} is no requirement: {said}", code="requirement", hint="write it as 'name>=1.2'") from error
        if not self.applies(requirement):
            return True
        return self._fits(requirement, frozenset())

    def _fits(self, requirement: Requirement, above: frozenset[tuple[str, str]]) -> bool:
        """Say whether a distribution fits, with its extras. `above` are the extras being looked at: they may name one another."""
        name = normalized(requirement.name)
        found = self._installed.get(name)
        if found is None or not _fits_version(found, requirement):
            return False
        if requirement.url is not None and not _from_url(found.direct_url, requirement.url):
            return False
        extras = {normalized(extra) for extra in requirement.extras}
        todo = {(name, extra) for extra in extras} - above
        return all(self._fits(needed, above | todo) for _, extra in sorted(todo) for needed in self._needed(found, extra))

    def _needed(self, found: Distribution, extra: str) -> list[Requirement]:
        """Return what an extra of an installed distribution asks for on this target; nothing if it has no such extra."""
        needed: list[Requirement] = []
        spelt = {given: normalized(given) for given in (*found.metadata.extras, extra)}
        names = [given for given, plain in spelt.items() if plain == extra]
        for text in found.metadata.requires:
            if "extra" not in text:
                continue
            try:
                requirement = Requirement(text)
            except InvalidRequirement:
                continue  # neither pip nor uv can act on it
            marker = requirement.marker
            if marker is None or marker.evaluate({**self._markers, "extra": ""}):
                continue
            if any(marker.evaluate({**self._markers, "extra": name}) for name in names):
                needed.append(requirement)
        return needed


def _visible(env: Environment, host: Host) -> tuple[str, ...]:
    """Return the site-packages that count: its own, and its base's where pyvenv.cfg adds those.

    pip calls what the base has "already satisfied" then, so to ask for it in the environment itself would never end.
    """
    own = site_packages(env, host)
    if env.base is None or env.kind != "venv":
        return own
    try:
        with open(os.path.join(env.prefix, pyvenv_cfg.NAME), "rb") as stream:
            keys = pyvenv_cfg.load(stream.read(pyvenv_cfg.LIMIT).decode("utf-8", "replace"))
    except OSError:
        return own
    if keys.get("include-system-site-packages", "").lower() != "true":
        return own
    return (*own, *site_packages(replace(env, prefix=env.base, kind="interpreter", base=None), host))


def _fits_version(found: Distribution, requirement: Requirement) -> bool:
    """Say whether the installed version is in the range; one that is a pre-release is there on purpose, so it counts."""
    if not requirement.specifier:
        return True
    try:
        return requirement.specifier.contains(Version(found.metadata.version), prereleases=True)
    except InvalidVersion:
        return any(clause.operator == "===" and clause.version == found.metadata.version for clause in requirement.specifier)


def _from_url(origin: DirectUrl | None, url: str) -> bool:
    """Say whether a distribution was installed from a URL: same place, same revision, and no other hash."""
    from ..formats.direct_url import without_credentials  # noqa: PLC0415 - few requirements have a URL

    if origin is None or origin.editable:
        return False
    wanted, _, fragment = without_credentials(url).partition("#")
    facts = {name: value for name, _, value in (part.partition("=") for part in fragment.split("&"))}
    have = origin.url.partition("#")[0]
    if origin.vcs is not None:
        have = f"{origin.vcs}+{have}"
        revision = origin.revision or ""
        path = wanted.rpartition("/")[2]
        asked = path.partition("@")[2]
        if asked:
            wanted = wanted.removesuffix(f"@{asked}")
        if asked not in {revision, origin.commit}:
            return False
    if (facts.get("subdirectory") or None) != origin.subdirectory:
        return False
    hashes = dict(origin.hashes)
    if any(name in facts and facts[name] != value for name, value in hashes.items()):
        return False
    return unquote(wanted).rstrip("/") == unquote(have).rstrip("/")
