"""The keys of condarc and mambarc files: which are honoured, which concern only what tools show or do besides, and their other names.

All others that are set are named in `Configuration.unsupported`: nothing that somebody configured is passed over without a word.

Source: conda's base/context.py (the class Context); mamba's configuration.cpp.
"""

from __future__ import annotations

from typing import Final

HONOURED: Final = frozenset(
    {
        *("channels", "channel_alias", "custom_channels", "custom_multichannels", "default_channels", "mirrored_channels"),
        *("allowlist_channels", "denylist_channels", "use_local", "channel_priority", "pinned_packages", "disallowed_packages"),
        *("create_default_packages", "offline", "ssl_verify", "proxy_servers", "envs_dirs", "pkgs_dirs", "register_envs", "subdir"),
        "override_virtual_packages",
    }
)

WITHOUT_MEANING: Final = frozenset(
    {
        # what conda shows, asks and reports
        *("always_yes", "quiet", "verbosity", "json", "console", "debug", "trace", "dev", "show_channel_urls", "list_fields", "log_level"),
        *("report_errors", "error_upload_url", "number_channel_notices", "unsatisfiable_hints", "unsatisfiable_hints_check_depth"),
        *("show_anaconda_channel_warnings", "log_backtrace", "log_pattern", "notify_outdated_conda", "dry_run", "print_config_only"),
        # what its shell functions do
        *(
            "changeps1",
            "env_prompt",
            "auto_activate",
            "auto_stack",
            "default_activation_env",
            "shell_completion",
            "envvars_force_uppercase",
        ),
        # conda's own installation, building and uploading, threads
        *("auto_update_conda", "allow_conda_downgrades", "anaconda_upload", "conda_build", "bld_path", "croot", "plugins", "no_plugins"),
        *("default_threads", "repodata_threads", "fetch_threads", "verify_threads", "execute_threads", "download_threads"),
        *("extract_threads", "export_platforms", "environment_specifier", "experimental", "preview", "override_channels_enabled"),
        *("protect_frozen_envs", "allow_non_channel_urls"),
    }
)

# One more table of what is known, so that a variable such as CONDA_ALWAYS_COPY is seen as a key, and CONDA_EXE is not.
UNSUPPORTED: Final = frozenset(
    {
        *("add_anaconda_token", "add_pip_as_python_dependency", "aggressive_update_packages", "allow_cycles", "allow_softlinks"),
        *("always_copy", "always_softlink", "channel_settings", "client_ssl_cert", "client_ssl_cert_key", "clobber", "default_python"),
        *("deps_modifier", "exclude_newer", "exclude_newer_package", "extra_safety_checks", "force", "force_32bit", "ignore_pinned"),
        *("local_repodata_ttl", "migrated_channel_aliases", "migrated_custom_channels", "no_lock", "path_conflict"),
        *("prefix_data_interoperability", "remote_backoff_factor", "remote_connect_timeout_secs", "remote_max_retries"),
        *("remote_read_timeout_secs", "repodata_fns", "repodata_use_shards", "repodata_use_zst", "rollback_enabled", "safety_checks"),
        *("sat_solver", "separate_format_cache", "shortcuts", "shortcuts_only", "signing_metadata_url_base", "solver"),
        *("solver_ignore_timestamps", "subdirs", "track_features", "update_modifier", "use_index_cache", "use_only_tar_bz2"),
        *("ssl_no_revoke", "cacert_path", "trusted_channels", "verify_artifacts", "compile_pyc", "use_lockfiles", "lock_timeout"),
    }
)

KNOWN: Final = HONOURED | WITHOUT_MEANING | UNSUPPORTED

ALIASES: Final = {
    "channel": "channels",
    "envs_path": "envs_dirs",
    "verify_ssl": "ssl_verify",
    "disallow": "disallowed_packages",
    "whitelist_channels": "allowlist_channels",
    "virtual_packages": "override_virtual_packages",
    "platform": "subdir",
    "mirrors": "mirrored_channels",
    "yes": "always_yes",
    "self_update": "auto_update_conda",
    "auto_activate_base": "auto_activate",
    "verbose": "verbosity",
    "binstar_upload": "anaconda_upload",
    "add_binstar_token": "add_anaconda_token",
    "conda-build": "conda_build",
    "softlink": "always_softlink",
    "copy": "always_copy",
    "client_cert": "client_ssl_cert",
    "client_cert_key": "client_ssl_cert_key",
    "cooldown": "exclude_newer",
    "cooldown_exclude": "exclude_newer_package",
    "experimental_solver": "solver",
    "extra_platforms": "export_platforms",
    "env_spec": "environment_specifier",
    "pip_interop_enabled": "prefix_data_interoperability",
}
"""Another name of a key -> the name that is used here."""

DELIMITERS: Final = {
    **dict.fromkeys(
        ("channels", "default_channels", "pkgs_dirs", "create_default_packages", "allowlist_channels", "denylist_channels"), ","
    ),
    "pinned_packages": "&",
    "disallowed_packages": "&",
}
"""What separates the items of a list in a variable; those of `envs_dirs` are separated as on PATH."""
