"""The files that a study's results consist of."""

MANIFEST = "manifest.json"
# What may be taken from a folder of results, and as what.
FILES = {
    "results.json": "application/json",
    "shares.csv": "text/csv; charset=utf-8",
    "pairs.csv": "text/csv; charset=utf-8",
    "metrics.csv": "text/csv; charset=utf-8",
    "joint.csv": "text/csv; charset=utf-8",
    "people.csv": "text/csv; charset=utf-8",
    "anchor.svg": "image/svg+xml",
    "shares.svg": "image/svg+xml",
    "scale.svg": "image/svg+xml",
    "joint.svg": "image/svg+xml",
    "metrics.svg": "image/svg+xml",
    "difficulty.svg": "image/svg+xml",
    "session.svg": "image/svg+xml",
    MANIFEST: "application/json",
}


def file_name(name: str, *, is_simulated: bool) -> str:
    """Simulated data says so in the name of every file."""
    return f"SIMULATED-{name}" if is_simulated else name
