import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecs_eval.codecs.learned.quantising import N_SCALES, N_SKIPPED_SCALES
from codecs_eval.codecs.learned.symbols import (
    DamagedStream,
    SymbolReader,
    SymbolWriter,
    Tables,
    make_tables,
    radius_of,
)

TABLES = Tables(make_tables())
INDEXES = st.integers(N_SKIPPED_SCALES, N_SCALES - 1)


@given(st.lists(st.tuples(st.integers(-5000, 5000), INDEXES), max_size=60))
def test_any_symbols_come_back_whatever_their_scales(pairs: list[tuple[int, int]]) -> None:
    symbols = np.array([symbol for symbol, _ in pairs], np.int32)
    index = np.array([at for _, at in pairs], np.int32)
    writer = SymbolWriter(TABLES)
    writer.write(symbols, index)
    reader = SymbolReader(TABLES, writer.payload())
    assert reader.read(index).tolist() == symbols.tolist()
    assert reader.checksum == writer.checksum


def test_every_table_sums_to_one_and_gives_each_symbol_a_share() -> None:
    weights = make_tables()
    lengths = [2 * radius_of(index) + 3 for index in range(N_SCALES)]
    for part in np.split(weights, np.cumsum(lengths)[:-1]):
        assert part.sum() == 1 << 24
        assert part.min() >= 1


def test_gaussian_symbols_take_the_bits_that_their_distribution_has() -> None:
    rng = np.random.default_rng(1)
    index = np.full(20_000, 20, np.int32)
    scale = 0.11 * (256 / 0.11) ** (20 / 63)
    symbols = np.round(rng.normal(0, scale, len(index))).astype(np.int32)
    writer = SymbolWriter(TABLES)
    writer.write(symbols, index)
    _, counts = np.unique(symbols, return_counts=True)
    entropy = -np.sum(counts * np.log2(counts / len(index)))
    told = TABLES.bits_of(symbols, index).sum()
    assert 8 * len(writer.payload()) == pytest.approx(entropy, rel=0.01)
    assert told == pytest.approx(entropy, rel=0.01)


def test_an_escaped_symbol_takes_the_bits_that_are_told() -> None:
    symbols = np.array([900, -2000, 3, 70] * 50, np.int32)
    index = np.full(len(symbols), 12, np.int32)
    writer = SymbolWriter(TABLES)
    writer.write(symbols, index)
    told = TABLES.bits_of(symbols, index).sum()
    assert 8 * len(writer.payload()) == pytest.approx(told, rel=0.02)


def test_a_payload_of_broken_words_is_refused() -> None:
    with pytest.raises(DamagedStream, match="whole words"):
        SymbolReader(TABLES, b"abc")
