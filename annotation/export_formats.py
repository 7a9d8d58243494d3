"""The ways out of a study: what each format holds, and for whom."""

from dataclasses import dataclass, field

ROWS = {
    "all": "every judgment, replaced and screened-out ones too, marked",
    "counted": "only judgments that analyses rest on",
}


@dataclass(frozen=True)
class ExportFormat:
    """One way out. `unit`: what its rows are; `has_row_choice`: all or only those that count."""

    label: str
    holds: str
    meant_for: str
    unit: str = "judgments"
    has_row_choice: bool = False


FORMATS: dict[str, ExportFormat] = {
    "csv": ExportFormat(
        "CSV",
        "judgments.csv and triplets.csv: every id, side, setting, rate and time.",
        "Spreadsheets, R, anything; comes back by Import.",
        has_row_choice=True,
    ),
    "jsonl": ExportFormat(
        "JSON lines",
        "judgments.jsonl and triplets.jsonl: the same, one object a line.",
        "Programs that read line by line; comes back by Import.",
        has_row_choice=True,
    ),
    "parquet": ExportFormat(
        "Parquet",
        "judgments.parquet and triplets.parquet: the same, typed and small.",
        "pandas, Polars, DuckDB, Hugging Face; comes back by Import.",
        has_row_choice=True,
    ),
    "triplets-csv": ExportFormat(
        "Triplets as CSV",
        "triplets.csv alone: what is compared, judged or not.",
        "Checking a design before anybody answers.",
        unit="triplets",
    ),
    "bapps": ExportFormat(
        "BAPPS layout",
        "ref/, p0/, p1/ as PNG and judge/ as .npy (share that calls p1 closer), votes.csv.",
        "Training code for LPIPS and its kin; comes back by Import.",
        unit="triplets",
    ),
    "oabt": ExportFormat(
        "O,A,B,T",
        "oracle.csv (original, A, B, 0 where A is closer, 1 where B is) and its pictures.",
        "CLIC's perceptual task; comes back by Import.",
    ),
    "aic3": ExportFormat(
        "AIC-3 responses",
        "responses.csv in the columns of JPEG-AI-SDR25: which side differs more.",
        "JPEG AIC scripts; comes back by Import.",
    ),
    "compressai": ExportFormat(
        "CompressAI results",
        "A JSON file a codec: mean bpp, PSNR and MS-SSIM (RGB) at each rate.",
        "CompressAI's rate-distortion plots.",
        unit="points",
    ),
}


@dataclass(frozen=True)
class ExportConfig:
    """What of a study is exported, and how."""

    study: str = field(metadata={"help": "The study's short name (slug)."})
    file_format: str = field(default="csv", metadata={"label": "Format"})
    rows: str = field(
        default="all",
        metadata={"label": "Rows", "help": "Of tables; other formats have their own."},
    )

    def __post_init__(self) -> None:
        if not self.study:
            raise ValueError("Found no study; expected its short name.")
        if self.file_format not in FORMATS:
            raise ValueError(
                f"Found format {self.file_format!r}; expected one of {', '.join(FORMATS)}."
            )
        if self.rows not in ROWS:
            raise ValueError(f"Found rows {self.rows!r}; expected one of {', '.join(ROWS)}.")
