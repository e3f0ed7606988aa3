"""One module per command of `eventos`; cli.py puts them together."""
