"""``python -m service.cli`` is ``peermatch``."""

from service.cli import main

if __name__ == "__main__":  # a worker that `serve` spawns imports this module again
    main(prog_name="peermatch")
