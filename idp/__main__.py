"""`python -m idp` is the command `jingban`."""

from idp.cli import main

if __name__ == "__main__":
    main()
