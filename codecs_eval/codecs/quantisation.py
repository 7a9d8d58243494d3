"""JPEG's example quantisation tables at any quality, between libjpeg's whole steps too."""

# ITU-T T.81, Annex K, tables K.1 and K.2, row by row.
_LUMA = (
    16, 11, 10, 16, 24, 40, 51, 61,
    12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77,
    24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
_CHROMA = (
    17, 18, 24, 47, 99, 99, 99, 99,
    18, 21, 26, 66, 99, 99, 99, 99,
    24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
)  # fmt: skip


def scaled_tables(quality: float) -> list[list[int]]:
    """Luma and chroma table, 64 entries each, for a quality of 1..100 (higher = finer).

    libjpeg's rule (jpeg_quality_scaling, jpeg_add_quant_table, baseline): at a whole quality the
    entries are libjpeg's own.
    """
    if not 1 <= quality <= 100:
        raise ValueError(f"expected a quality of 1..100, found {quality}")
    percent = 5000 / quality if quality < 50 else 200 - 2 * quality
    if quality == int(quality):
        percent = int(percent)
    return [
        [min(255, max(1, int((entry * percent + 50) / 100))) for entry in table]
        for table in (_LUMA, _CHROMA)
    ]
