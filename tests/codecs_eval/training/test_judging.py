"""Judgment heads know no sides."""

import torch

from codecs_eval.training.judging import LogisticHead, ReferenceHead


def distances(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(50, generator=generator), torch.rand(50, generator=generator)


def test_swapping_the_images_turns_p_into_one_minus_p() -> None:
    d_first, d_second = distances(0)
    share = (d_second < d_first).float() * 0.8 + 0.1
    heads = (
        ReferenceHead(torch.Generator().manual_seed(1)),
        LogisticHead(d_first - d_second, share, torch.ones(50)),
    )
    for head in heads:
        p, swapped = torch.sigmoid(head(d_first, d_second)), torch.sigmoid(head(d_second, d_first))
        torch.testing.assert_close(swapped, 1 - p)
        torch.testing.assert_close(torch.sigmoid(head(d_first, d_first)), torch.full((50,), 0.5))


def test_the_logistic_head_begins_at_the_most_likely_slope() -> None:
    d_first, d_second = (d.double() for d in distances(1))
    truth = torch.sigmoid(6.0 * (d_first - d_second))
    head = LogisticHead(d_first - d_second, truth, torch.ones(50))
    torch.testing.assert_close(torch.sigmoid(head(d_first, d_second)), truth, atol=1e-4, rtol=0)


def test_the_second_is_likelier_where_its_distance_is_smaller() -> None:
    d_first, d_second = distances(2)
    head = LogisticHead(d_first - d_second, (d_second < d_first).float(), torch.ones(50))
    assert torch.equal(head(d_first, d_second) > 0, d_second < d_first)


def test_votes_against_the_metric_never_turn_its_sign() -> None:
    d_first, d_second = distances(3)
    head = LogisticHead(d_first - d_second, (d_second > d_first).float(), torch.ones(50))
    assert torch.equal(head(d_first, d_second) > 0, d_second < d_first)


def test_the_reference_head_begins_the_same_from_the_same_seed() -> None:
    one, two, other = (ReferenceHead(torch.Generator().manual_seed(s)) for s in (5, 5, 6))
    d_first, d_second = distances(4)
    assert torch.equal(one(d_first, d_second), two(d_first, d_second))
    assert not torch.equal(one(d_first, d_second), other(d_first, d_second))
