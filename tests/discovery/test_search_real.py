"""Search and identify on what the real tools make: each environment once, right, and without starting a process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from envkit.control import Work
from envkit.discovery.locators import TABLE
from envkit.discovery.probe import probe
from envkit.discovery.search import search
from envkit.host import Host
from envkit.models.environment import Environment

from .conftest import World  # noqa: TID252 - the helpers of this directory
