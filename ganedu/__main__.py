"""`python -m ganedu`: the command line where the script is not on the path."""

from ganedu.cli import main

main(prog_name="ganedu")
