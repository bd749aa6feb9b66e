"""The command line: arguments in, one call, text or JSON out. With the probe's script the only code that prints."""
