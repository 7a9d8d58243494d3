"""A supervisor over shell scripts: python tests/frontdoor/supervise.py FOLDER CHILDREN(JSON)"""

import json
import os
import sys
from pathlib import Path

from config.supervisor import Child, Supervisor


def main(folder: Path, listed: list[dict[str, object]]) -> None:
    def say(line: str) -> None:
        with (folder / "said").open("a") as file:
            file.write(line + "\n")

    children = [
        Child(
            name=str(entry["name"]),
            command=["bash", "-c", str(entry["script"])],
            stop_rank=int(str(entry.get("stop_rank", 0))),
            env=dict(os.environ),
            folder=folder,
            is_ready=lambda entry=entry: not entry.get("is_never_ready"),  # type: ignore[misc]
            ready_within_s=3,
            grace_s=1,
            runs_once=bool(entry.get("runs_once")),
        )
        for entry in listed
    ]
    Supervisor(folder, say).run(children, lambda: say("ready"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
