"""Own words: what is kept, and which contact details are found."""

from __future__ import annotations

import pytest

from tests.matcher.facets.bench import columns, declared_wrongly, facet, forward, passes, refused, says

STATEMENT = facet("statement")
EMAIL, WEB, PHONE, ACCOUNT = "an e-mail address", "a web address", "a telephone number", "an account name"


def test_declared():
    assert STATEMENT.shown_when is None
    assert not STATEMENT.gating
    for when in ("shortlist", "after_offer"):
        assert facet("statement", f'show = "{when}"').shown_when == when


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ('show = "always"', ("show: found 'always'", "one of 'after_offer', 'shortlist'")),
        ('show = "shortlst"', ("did you mean 'shortlist'?",)),
        ("show = true", ("show: found True",)),
        ("longest = 5", ("longest: unknown key",)),
    ],
)
def test_declared_wrongly(body, parts):
    declared_wrongly("statement", body, *parts)


@pytest.mark.parametrize(
    ("raw", "parsed"),
    [
        ("  Hello.\n", "Hello."),
        ("One\ntwo", "One\ntwo"),
        ("e\u0301te\u0301", "été"),
        ("👩\u200d👧 and the 🇵🇱", "👩\u200d👧 and the 🇵🇱"),
        ("م" * 280, "م" * 280),
        ("e\u0301" * 280, "é" * 280),
        ("x" * 280 + "   ", "x" * 280),
    ],
)
def test_kept(raw, parsed):
    assert STATEMENT.parse(raw) == parsed


@pytest.mark.parametrize(
    ("raw", "parts"),
    [
        (None, ("found None", "expected text")),
        (5, ("found 5",)),
        (["text"], ("found ['text']",)),
        ("", ("found no text", "leave it out")),
        (" \n ", ("found no text", "leave it out")),
        ("x" * 281, ("found 281 characters", "at most 280")),
        ("a\x00b", ("found a control character", "plain text")),
        ("a\tb", ("a control character",)),
        ("a\r\nb", ("a control character",)),
        ("a\x1b[31mb", ("a control character",)),
        ("a\ud800b", ("a control character",)),
        ("a\u202eb", ("a control character",)),  # turns the reading direction
        ("a\u200bb", ("a control character",)),  # of no width
        ("a\ufeffb", ("a control character",)),
    ],
)
def test_refused(raw, parts):
    refused(STATEMENT.parse, raw, "", *parts)


CONTACTS = [
    ("write to jo@example.org", EMAIL),
    ("jo@localhost", EMAIL),
    ("jo＠example．org", EMAIL),  # fullwidth
    ("jo (at) example dot org", EMAIL),
    ("jo [AT] example dot org", EMAIL),
    ("jo( at )example", EMAIL),
    ("see https://example.org/jo", WEB),
    ("HTTP://x", WEB),
    ("www.example", WEB),
    ("my page is jo-writes.co.uk", WEB),
    ("JO.COM", WEB),
    ("ring 07700 900123", PHONE),
    ("07700900123", PHONE),
    ("+44 7700 900 123", PHONE),
    ("(020) 7946-0018", PHONE),
    ("020.7946.0018", PHONE),
    ("0 7 7 0 0 9 0 0 1 2 3", PHONE),
    ("０７７００９００１２３", PHONE),  # fullwidth
    ("٠٧٧٠٠٩٠٠١٢٣", PHONE),  # Arabic-Indic
    ("ring me on\n07700\n900123", PHONE),
    ("0770\u200d0900123", PHONE),
    ("ring me: 212-555-2014", PHONE),
    ("(555) 555-1987", PHONE),
    ("+44 (0)20 7946 0958", PHONE),
    ("0207 2019 1234", PHONE),
    ("07700/900123", PHONE),
    ("07700–900123", PHONE),
    ("07700—900123", PHONE),
    ("07700_900123", PHONE),
    ("07700,900,123", PHONE),
    ("07700\u00b7900123", PHONE),
    ("t.me/jo", WEB),
    ("wa.me/44770", WEB),
    ("bit.ly/xyz", WEB),
    ("x.com/jo", WEB),
    ("www\u200d.example\u200d.org", WEB),
    ("jo at example dot org", EMAIL),
    ("jo @ example", EMAIL),
    ("find me @jo_writes", ""),
    ("@jo", ""),
    ("jo.writes AT gmail", ACCOUNT),
    ("I am on WhatsApp", ACCOUNT),
    ("Telegram: jo", ACCOUNT),
    ("instagram jo.writes", ACCOUNT),
    ("my insta is jo_writes", ACCOUNT),
    ("tiktok jo_writes", ACCOUNT),
    ("discord jo#1234", ACCOUNT),
    ("signal: jo.42", ACCOUNT),
    ("Signal me", ACCOUNT),
]


@pytest.mark.parametrize(("text", "what"), CONTACTS)
def test_contact_details_are_found(text, what):
    refused(STATEMENT.parse, text, "", f"found {what}", "contact details are exchanged after both accept")


HARMLESS = [
    "Happy to talk about the practical side.",
    "2 children aged 7 and 9",
    "I am at home most days",
    "Diagnosed in 2019, in remission since 2021.",
    "Born in 1950, retired 2015",
    "Free Mon 18:00-20:00 and Sat 9:00-12:00",
    "6 cycles of chemo, 25 sessions of radiotherapy",
    "BRCA1+, HER2-, grade 3",
    "It took 10,000 steps.",
    "C50.9 and F41.1",
    "Half the time I laugh (at myself)",
    "e.g. driving, i.e. by myself",
    "Mr. Net worth, com puters",
    "I talk, I listen. Me too, I waited.",
    "3/4 of it is waiting",
    "My 1st, 2nd and 3rd scan",
    "100% honest; £20 a week",
    "Information about medication",
    "24/7 carer for my mum",
    "50 + 50 makes 100",
    "We were 12 in 2018.",
    "in 2015, 2018, 2021 and 2023",
    "Diagnosed 12/05/2019",
    "12.05.2019 - 13.06.2020",
    "Best between 9.30-11.30",
    "Tuesdays 10.00-12.00, Fridays 9.00-10.30",
    "born 1950, first operation 1999, the second 2001",
    "kids aged 7, 9, 11, 13 and 15",
    "Three scans, 10,000 steps, 2,000 calories",
    "5/6 weeks, 12/24 sessions, 1/2 days",
    "He/she/they, and/or me",
    "The signal was bad",
    "BRCA 1/2, stage 3, 40-50 years",
    "since 2019-2020",
    "1998 - 2004 in Leeds",
    "Diagnosed 12.05.2019",
    "Diagnosed on 2019-05-12",
    "Operations in 2015 2018 2021",
    "It was hard.Me and my wife got through.",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_words_are_kept(text):
    assert STATEMENT.parse(text) == text


LIKE_NUMBERS = [
    "My outlook on life has changed",
    "There was discord in my family",
    "Ages 18-24, 25-34",
    "Mon 10-12, 14-16, 18-20",
    "PSA 4.5, 3.2, 2.1, 0.9",
    "I was at a low point, dot by dot it got better",
]
IN_DISGUISE = [
    "".join(f"{digit}\ufe0f\u20e3" for digit in "07700900123"),
    "07700\u2212900123",
    "07700:900123",
    "07700=900123",
    "jo at\nexample dot org",
    "example\u3002com",
    "wechat jo",
    "viber jo",
    "linkedin jo",
]


@pytest.mark.parametrize("text", LIKE_NUMBERS)
def test_harmless_words_that_look_like_contacts_are_kept(text):
    assert STATEMENT.parse(text) == text


@pytest.mark.parametrize("text", IN_DISGUISE)
def test_contact_details_in_disguise_are_found(text):
    refused(STATEMENT.parse, text, "", "contact details")


@pytest.mark.parametrize("text", ["jo.example.shop", "oh seven seven double oh nine double oh"])
def test_what_the_net_lets_through_is_for_the_coordinator_who_approves(text):
    assert STATEMENT.parse(text) == text


def test_nothing_of_it_is_matched():
    assert forward([STATEMENT], says(STATEMENT, "Hello."), [says(STATEMENT, "Hello.")]) is None
    for rule in ("permit", "musts", "avoids"):
        assert passes(rule, [STATEMENT], says(STATEMENT, "Hello."), says(STATEMENT)) is None
    column = columns([STATEMENT], [says(STATEMENT, "Hello.")], shows=[True])["f"]
    assert column.shows.tolist() == [False]
    assert column.importance.tolist() == [0]
    assert list(column.shared(says(STATEMENT, "Hello."), 0)) == []
    assert 0 < column.nbytes < 10
