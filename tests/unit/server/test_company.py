"""Whether a request is usually alone, from how many others were there."""

from model_server.company import PAUSE_SECONDS, Company


def test_at_first_company_is_rare() -> None:
    assert Company().is_rare


def test_it_is_rare_no_more_where_others_are_there_and_again_where_they_are_not() -> None:
    company = Company()
    for _ in range(10):
        company.meet(2, 0.0)
    assert not company.is_rare
    company.meet(0, 0.0)
    assert not company.is_rare
    for _ in range(10):
        company.meet(0, 0.0)
    assert company.is_rare


def test_after_a_crowd_it_takes_no_longer_to_be_rare_than_after_a_few() -> None:
    for others in (1, 31):
        company = Company()
        for _ in range(50):
            company.meet(others, 0.0)
        for _ in range(6):
            assert not company.is_rare
            company.meet(0, 0.0)
        assert company.is_rare


def test_a_pause_with_nobody_ends_it() -> None:
    company = Company()
    for _ in range(10):
        company.meet(2, 0.0)
    company.leave(5.0)
    company.meet(0, 5.0 + PAUSE_SECONDS)
    assert not company.is_rare
    company.meet(0, 5.1 + PAUSE_SECONDS)
    assert company.is_rare
