"""A conformance report as a PDF for a reviewer: the same words as its page, with page numbers."""

from pathlib import Path

import fpdf
import matplotlib
from fpdf.enums import TableBordersLayout, VAlign
from fpdf.fonts import FontFace

from annotation.conformance_items import Conformance, Item, Section

FONT = "DejaVu"
INK, QUIET, RULE = (26, 26, 26), (92, 92, 92), (200, 200, 200)
MARGIN_MM = 18
COLUMNS = (42, 92, 20, 20)
HEADS = ("What", "Reported", "State", "Asked by")


class _Document(fpdf.FPDF):
    """Every page says what it is of, its number, and SIMULATED where that is so."""

    def __init__(self, report: Conformance) -> None:
        super().__init__(format="A4")
        self._report = report
        self.set_margins(MARGIN_MM, MARGIN_MM)
        self.set_auto_page_break(True, margin=MARGIN_MM + 6)
        folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
        self.add_font(FONT, "", folder / "DejaVuSans.ttf")
        self.add_font(FONT, "B", folder / "DejaVuSans-Bold.ttf")

    def header(self) -> None:
        self.set_font(FONT, "", 8)
        self.set_text_color(*QUIET)
        self.cell(0, 6, f"Conformance report of {self._report.title}", align="L")
        if self._report.is_simulated:
            self.set_font(FONT, "B", 9)
            self.set_text_color(*INK)
            self.set_fill_color(255, 210, 63)
            self.set_x(-MARGIN_MM - 34)
            self.cell(34, 6, "SIMULATED", align="C", fill=True)
        self.ln(10)

    def footer(self) -> None:
        self.set_y(-MARGIN_MM)
        self.set_font(FONT, "", 8)
        self.set_text_color(*QUIET)
        self.cell(0, 6, f"{self._report.study}, {self._report.made_at}", align="L")
        self.set_x(MARGIN_MM)
        self.cell(0, 6, f"Page {self.page_no()} of {{nb}}", align="R")


def pdf(report: Conformance) -> bytes:
    document = _Document(report)
    mark = "SIMULATED: " if report.is_simulated else ""
    document.set_title(f"{mark}Conformance report of {report.title}")
    document.set_author("Triad")
    document.set_subject("; ".join(report.lede))
    document.set_lang("en")
    document.add_page()
    _head(document, report)
    for section in report.sections:
        _section(document, section)
    return bytes(document.output())


def _head(document: _Document, report: Conformance) -> None:
    document.set_text_color(*INK)
    document.set_font(FONT, "B", 16)
    document.multi_cell(0, 8, report.title, new_x="LMARGIN", new_y="NEXT")
    document.set_font(FONT, "", 9)
    document.set_text_color(*QUIET)
    about = f"Study {report.study}, {report.state}; made {report.made_at}"
    document.multi_cell(0, 6, about, new_x="LMARGIN", new_y="NEXT")
    document.set_text_color(*INK)
    for line in report.lede:
        document.multi_cell(0, 5, line, align="L", new_x="LMARGIN", new_y="NEXT")
        document.ln(1)


def _section(document: _Document, section: Section) -> None:
    # A title is not left alone at the foot of a page.
    if document.will_page_break(30):
        document.add_page()
    document.ln(4)
    document.set_font(FONT, "B", 11)
    document.set_text_color(*INK)
    document.start_section(section.title)
    document.cell(0, 7, section.title, new_x="LMARGIN", new_y="NEXT")
    document.set_font(FONT, "", 8)
    document.set_draw_color(*RULE)
    with document.table(
        col_widths=COLUMNS,
        text_align="LEFT",
        line_height=4.4,
        padding=(1, 1.5),
        v_align=VAlign.T,
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        headings_style=FontFace(emphasis="BOLD", color=INK),
    ) as table:
        table.row(HEADS)
        for item in section.items:
            table.row(cells_of(item))


def cells_of(item: Item) -> tuple[str, str, str, str]:
    return item.label, "\n".join(item.said), item.status, ", ".join(item.asked_by) or "–"
