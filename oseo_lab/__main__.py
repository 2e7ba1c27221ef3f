"""``python -m oseo_lab``: the command line without its console script."""

from oseo_lab.cli import main

if __name__ == "__main__":
    main()
