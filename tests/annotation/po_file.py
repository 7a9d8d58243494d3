"""Reads a .po file, the part of its grammar that ours uses: no gettext tool is needed for tests."""

import ast
import re
from pathlib import Path

_FIELD = re.compile(r'^(msgid|msgid_plural|msgstr(?:\[\d\])?) ((?:"[^\n]*"(?:\n|$))+)', re.M)


def read_po(path: Path) -> dict[str | tuple[str, int], str]:
    """As gettext's own catalogue has it: msgid -> text, and (msgid, n) -> text of a plural."""
    catalogue: dict[str | tuple[str, int], str] = {}
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        fields = {
            match[1]: "".join(ast.literal_eval(line) for line in match[2].splitlines())
            for match in _FIELD.finditer(block)
        }
        msgid = fields.pop("msgid")
        is_plural = fields.pop("msgid_plural", None) is not None
        for number, text in enumerate(fields.values()):
            catalogue[(msgid, number) if is_plural else msgid] = text
    return catalogue
