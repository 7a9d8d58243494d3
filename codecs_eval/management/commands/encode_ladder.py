from typing import Any

from django.core.management.base import CommandParser

from codecs_eval import encoding, runs
from codecs_eval.codecs.table import CODECS
from codecs_eval.encoding import RATES_BPP, LadderConfig
from codecs_eval.management.running import RunCommand
from codecs_eval.models import Run


class Command(RunCommand):
    help = "Encode every photo of a collection under codecs at set rates (real bit streams)."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--collection", required=True)
        parser.add_argument(
            "--codecs", nargs="+", metavar="CODEC", help=f"default: all of {', '.join(CODECS)}"
            " that run here",
        )  # fmt: skip
        parser.add_argument("--rates", nargs="+", type=float, default=RATES_BPP, metavar="BPP")
        parser.add_argument("--tolerance", type=float, default=0.02)

    def launch(self, options: dict[str, Any]) -> Run:
        names = words(options["codecs"]) or encoding.available_codecs()
        config = LadderConfig(
            collection=options["collection"],
            codecs=tuple(names),
            rates_bpp=tuple(options["rates"]),
            tolerance=options["tolerance"],
        )
        encoding.check_available(config)
        return runs.create("encode_ladder", config, title=f"Ladder of {config.collection}")

    def tell_result(self, run: Run, *, as_json: bool) -> None:
        super().tell_result(run, as_json=as_json)
        if as_json:
            return
        for cell in run.result.get("cells", []):
            psnr = "" if cell["psnr_mean_db"] is None else f"{cell['psnr_mean_db']:6.2f} dB"
            self.stdout.write(
                f"  {cell['label']:<22} {cell['target_bpp']:<5g} n {cell['n']:<4} "
                f"hit {cell['hit']} nearest {cell['nearest']} unreachable {cell['unreachable']}  "
                f"{cell['bpp_mean']:.3f} bpp  {psnr}"
            )


def words(values: list[str] | None) -> list[str]:
    """`a b` and `a,b` are the same list."""
    return [word for value in values or [] for word in value.split(",") if word]
