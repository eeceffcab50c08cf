"""No artisan is shown whose paper does not cover the trade shown: the papers, day by day."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from club.kernel.refusal import Refused
from club.models import User
from marketplace.domain.partners import accept, publish, receive, turn_away
from marketplace.enums import DocumentKind, DocumentStatus, PartnerKind, PartnerStatus, Trade
from marketplace.files import check_paper
from marketplace.models import ComplianceRule, Convention, Partner, PartnerDocument
from marketplace.queries.folder import LAPSED, MISSING, SOON, asked_of, lapsing
from marketplace.queries.shown import partners_shown, trades_shown
from tests.factories.club import NOW
from tests.factories.marketplace import LAST, ArtisanFactory, PartnerFactory, insured, siret_of

pytestmark = pytest.mark.django_db

TODAY = date(2027, 3, 9)


def shown(partner: Partner, on: date = TODAY) -> set[str]:
    return set(trades_shown(partner.landlord, on).values_list("trade", flat=True))


def is_shown(partner: Partner, on: date = TODAY) -> bool:
    return partners_shown(partner.landlord, on).filter(pk=partner.pk).exists()


def test_an_insured_plumber_is_shown_on_the_days_of_the_paper() -> None:
    plumber = ArtisanFactory()
    assert not is_shown(plumber)
    insured(plumber, Trade.PLUMBING, starts_on=TODAY, ends_on=TODAY + timedelta(days=1))
    days = [TODAY + timedelta(days=n) for n in (-1, 0, 1, 2)]
    assert [is_shown(plumber, day) for day in days] == [False, True, True, False]


def test_a_paper_for_roofing_alone_does_not_show_the_plumber() -> None:
    both = ArtisanFactory(trades=[Trade.PLUMBING, Trade.ROOFING])
    insured(both, Trade.ROOFING)
    assert (is_shown(both), shown(both)) == (True, {Trade.ROOFING})


def test_a_paper_counts_once_somebody_has_accepted_it() -> None:
    plumber = ArtisanFactory()
    paper = insured(plumber, Trade.PLUMBING, status=DocumentStatus.RECEIVED)
    assert not is_shown(plumber)
    staff = User.objects.create(username="officer")
    accept(paper, by=staff, now=NOW)
    assert is_shown(plumber)
    turn_away(paper, refused_for="other_firm", by=staff, now=NOW)
    assert not is_shown(plumber)


def test_only_building_trades_need_the_ten_year_insurance() -> None:
    gardener = ArtisanFactory(trades=[Trade.GARDENING])
    assert shown(gardener) == {Trade.GARDENING}


def test_a_landlord_asks_for_more_and_never_for_less() -> None:
    gardener = ArtisanFactory(trades=[Trade.GARDENING])
    ComplianceRule.objects.create(
        landlord=gardener.landlord, kind=PartnerKind.ARTISAN, document=DocumentKind.LIABILITY
    )
    assert not is_shown(gardener)
    insured(gardener, Trade.GARDENING, kind=DocumentKind.LIABILITY)
    assert is_shown(gardener)


def test_a_broker_is_shown_with_its_registration_and_a_shop_with_its_convention() -> None:
    broker = PartnerFactory(kind=PartnerKind.INTERMEDIARY, shop="", orias="12345678")
    shop = PartnerFactory(landlord=broker.landlord)
    assert (is_shown(broker), is_shown(shop)) == (False, True)
    insured(broker, kind=DocumentKind.ORIAS)
    assert is_shown(broker)
    Convention.objects.update(ends_on=TODAY - timedelta(days=1))
    assert not (is_shown(broker) or is_shown(shop))


def test_the_folder_is_amber_sixty_days_before_and_tells_the_next_paper() -> None:
    plumber = ArtisanFactory()
    assert [one.state for one in asked_of(plumber, TODAY)] == [MISSING]
    insured(plumber, Trade.PLUMBING, ends_on=date(2027, 5, 8))
    plumber = Partner.objects.get(pk=plumber.pk)
    states = {day: asked_of(plumber, day)[0].state for day in (
        date(2027, 3, 9), date(2027, 3, 10), date(2027, 5, 8), date(2027, 5, 9),
    )}  # fmt: skip
    assert list(states.values()) == ["good", SOON, SOON, LAPSED]
    insured(plumber, Trade.PLUMBING, starts_on=date(2027, 5, 9))
    plumber = Partner.objects.get(pk=plumber.pk)
    assert asked_of(plumber, date(2027, 5, 1))[0].state == "good"


def test_the_officer_reads_what_lapses_worst_first() -> None:
    gone = ArtisanFactory()
    landlord = gone.landlord
    soon = ArtisanFactory(landlord=landlord)
    fine = ArtisanFactory(landlord=landlord)
    insured(gone, Trade.PLUMBING, ends_on=TODAY - timedelta(days=1))
    insured(soon, Trade.PLUMBING, ends_on=TODAY + timedelta(days=20))
    insured(fine, Trade.PLUMBING)
    found = lapsing(Partner.objects.filter(landlord=landlord), TODAY)
    assert [(partner, [one.state for one in wrong]) for partner, wrong in found] == [
        (gone, [LAPSED]),
        (soon, [SOON]),
    ]


def test_a_partner_without_papers_is_not_published() -> None:
    plumber = ArtisanFactory(status=PartnerStatus.DRAFT, siret="", convention=False)
    staff = User.objects.create(username="officer")
    with pytest.raises(Refused) as refused:
        publish(plumber, by=staff, now=NOW)
    assert refused.value.codes == ["siret_missing", "no_convention", "paper_missing"]


def test_a_paper_is_received_accepted_and_dated() -> None:
    plumber = ArtisanFactory()
    staff = User.objects.create(username="officer")
    paper = PartnerDocument(
        partner=plumber, kind=DocumentKind.DECENNIAL, issuer="X", starts_on=TODAY, ends_on=LAST
    )
    receive(paper, by=staff, now=NOW)
    with pytest.raises(Refused) as refused:
        accept(paper, by=staff, now=NOW)
    assert refused.value.codes == ["no_trade", "number_missing"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"MZ\x90\x00program", "wrong_type"),
        (b"%PDF-1.4 /OpenAction << /S /JavaScript /JS (app.alert(1)) >>", "active_pdf"),
        (b"%PDF-1.4 /J#61vaScript", "active_pdf"),
        (b"%PDF-1.4 /OpenAction<</S/URI/URI(http://a.example)>>", "active_pdf"),
        (b"%PDF-1.4 /AA <</O<</S/SubmitForm/F(http://a.example)>>>>", "active_pdf"),
        (b"%PDF-1.4 " + b"0" * (10 * 1024 * 1024), "too_large"),
    ],
)
def test_a_file_is_what_its_bytes_say(content: bytes, code: str) -> None:
    with pytest.raises(ValidationError) as error:
        check_paper(SimpleUploadedFile("attestation.pdf", content))
    assert error.value.code == code


def test_a_plain_pdf_and_a_photo_are_taken() -> None:
    plain = check_paper(SimpleUploadedFile("a.pdf", b"%PDF-1.4 hello"))
    photo = check_paper(SimpleUploadedFile("a.pdf", b"\xff\xd8\xff\xe0"))
    assert (plain, photo) == ("application/pdf", "image/jpeg")


def test_a_siret_that_fails_its_check_is_refused() -> None:
    right = siret_of(10_000_001)
    wrong = right[:-1] + str((int(right[-1]) + 1) % 10)
    partner = PartnerFactory.build(siret=wrong, landlord=None)
    with pytest.raises(ValidationError) as error:
        partner.clean()
    assert list(error.value.message_dict) == ["siret"]


papers = st.lists(
    st.tuples(
        st.integers(0, 364),
        st.integers(0, 200),
        st.sets(st.sampled_from([Trade.PLUMBING, Trade.ROOFING, Trade.GARDENING])),
        st.sampled_from(list(DocumentStatus)),
    ),
    max_size=5,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(folders=st.lists(papers, min_size=1, max_size=3))
def test_a_year_of_lapsing_papers_against_a_plain_model(db: Any, folders: list[Any]) -> None:
    """At no moment is an artisan shown for a trade that no accepted paper covers that day."""
    Partner.objects.all().delete()
    landlord = None
    plain: dict[int, list[Any]] = {}
    trades = [Trade.PLUMBING, Trade.ROOFING, Trade.GARDENING]
    for folder in folders:
        more = {"landlord": landlord} if landlord else {}
        artisan = ArtisanFactory(trades=trades, **more)
        landlord = artisan.landlord
        plain[artisan.pk] = []
        for start, length, covered, status in folder:
            first = date(2027, 1, 1) + timedelta(days=start)
            last = first + timedelta(days=length)
            insured(artisan, *covered, starts_on=first, ends_on=last, status=status)
            if status == DocumentStatus.ACCEPTED:
                plain[artisan.pk].append((first, last, covered))
    assert landlord is not None
    turning = {date(2027, 1, 1) + timedelta(days=n) for n in range(0, 365, 30)}
    for folder in plain.values():
        for first, last, _covered in folder:
            turning |= {first, last, first - timedelta(days=1), last + timedelta(days=1)}
    for day in sorted(one for one in turning if one.year == 2027):
        expected = {
            (pk, trade)
            for pk, folder in plain.items()
            for trade in trades
            if trade == Trade.GARDENING
            or any(first <= day <= last and trade in covered for first, last, covered in folder)
        }
        assert set(trades_shown(landlord, day).values_list("partner", "trade")) == expected
        assert set(partners_shown(landlord, day).values_list("pk", flat=True)) == {
            pk for pk, _trade in expected
        }
