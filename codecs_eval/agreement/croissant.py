"""What a folder of judgments holds, for machines: Croissant 1.0 (MLCommons, 2024) as JSON-LD."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

CONFORMS_TO = "http://mlcommons.org/croissant/1.0"

_OURS = (
    "citeAs", "column", "conformsTo", "equivalentProperty", "extract", "field", "fileProperty",
    "fileObject", "fileSet", "format", "includes", "isLiveDataset", "jsonPath", "key", "md5",
    "parentField", "path", "recordSet", "references", "regex", "repeated", "replace",
    "samplingRate", "separator", "source", "subField", "transform",
)  # fmt: skip
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "sc": "https://schema.org/",
    **{name: f"cr:{name}" for name in _OURS},
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
}
_DATA_TYPES = {
    "id": "sc:Text",
    "text": "sc:Text",
    "whole": "sc:Integer",
    "number": "sc:Float",
    "flag": "sc:Boolean",
    "moment": "sc:DateTime",
}
_ENCODINGS = {
    ".csv": "text/csv",
    ".jsonl": "application/jsonlines",
    ".json": "application/json",
    ".parquet": "application/x-parquet",
    ".md": "text/markdown",
    ".png": "image/png",
    ".npy": "application/octet-stream",
}


@dataclass(frozen=True)
class FileFact:
    """A file by its path inside the folder."""

    name: str
    n_bytes: int
    sha256: str


@dataclass(frozen=True)
class TableField:
    """A column; `kind`: id, text, whole, number, flag or moment."""

    name: str
    kind: str
    meaning: str


@dataclass(frozen=True)
class Table:
    """The columns of one file."""

    name: str
    file: str
    meaning: str
    fields: tuple[TableField, ...]


@dataclass(frozen=True)
class Described:
    """What Croissant wants said of the whole; `published` is an ISO date.

    Creator and address are left out: whoever publishes the folder adds their own.
    """

    name: str
    description: str
    licence: str
    published: str
    version: str
    keywords: tuple[str, ...] = ()


def croissant(
    told: Described, files: Sequence[FileFact], tables: Sequence[Table]
) -> dict[str, Any]:
    """The JSON-LD of a folder. Folders of pictures and votes are file sets, by their endings."""
    sets = _file_sets(files)
    singles = [file for file in files if _set_of(file.name) is None]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": told.name,
        "description": told.description,
        "license": told.licence,
        "version": told.version,
        "datePublished": told.published,
        "citeAs": f"{told.name}, version {told.version}, {told.published[:10]}.",
        "keywords": list(told.keywords),
        "isLiveDataset": False,
        "distribution": [*map(_file_object, singles), *sets],
        "recordSet": [_record_set(table) for table in tables],
    }


def _set_of(name: str) -> tuple[str, str] | None:
    """The folder and ending of a file that is one of many alike."""
    folder, _, file = name.rpartition("/")
    ending = f".{file.rpartition('.')[2]}"
    return (folder, ending) if folder and ending in (".png", ".npy") else None


def _file_object(file: FileFact) -> dict[str, Any]:
    ending = f".{file.name.rpartition('.')[2]}"
    return {
        "@type": "cr:FileObject",
        "@id": file.name,
        "name": file.name,
        "contentUrl": file.name,
        "contentSize": f"{file.n_bytes} B",
        "encodingFormat": _ENCODINGS.get(ending, "application/octet-stream"),
        "sha256": file.sha256,
    }


def _file_sets(files: Sequence[FileFact]) -> list[dict[str, Any]]:
    sets = dict.fromkeys(found for file in files if (found := _set_of(file.name)))
    return [
        {
            "@type": "cr:FileSet",
            "@id": f"{folder}-{ending.removeprefix('.')}",
            "name": folder,
            "encodingFormat": _ENCODINGS[ending],
            "includes": f"{folder}/*{ending}",
        }
        for folder, ending in sets
    ]


def _record_set(table: Table) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": table.name,
        "name": table.name,
        "description": table.meaning,
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{table.name}/{field.name}",
                "name": field.name,
                "description": field.meaning,
                "dataType": _DATA_TYPES[field.kind],
                "source": {
                    "fileObject": {"@id": table.file},
                    "extract": {"column": field.name},
                },
            }
            for field in table.fields
        ],
    }
