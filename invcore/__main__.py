"""``python -m invcore``: the command line, where its script is not on the path."""

from invcore.cli.main import main

if __name__ == "__main__":
    main()
