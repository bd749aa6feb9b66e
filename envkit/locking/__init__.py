"""Desk: lock what a spec asks for, make exactly what a lock says, and export what an environment holds."""
