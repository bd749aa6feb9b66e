"""Desk: read what an environment should be from the files that users have: `read_spec`, one module per family of formats."""
