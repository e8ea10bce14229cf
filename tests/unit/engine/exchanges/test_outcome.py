"""What an answer of the venue means for an order (reference: error semantics of Binance USDⓈ-M futures)."""

import pytest

from quantum_engine.exchanges.binance_futures.codes import CODES, Outcome, advice
from quantum_engine.exchanges.binance_futures.outcome import Answer, judge, judge_failure, read_answer

NOW_MS = 1_800_000_000_000
UNKNOWN_503 = "Unknown error, please check your request or try again later."
BUSY_503 = "Request throttled by system-level protection. Reduce-only/close-position orders are exempt."
BANNED = f"Way too many requests; IP(1.2.3.4) banned until {NOW_MS + 90_000}. Please use the websocket."
NAMED_BY_THE_ISSUE = {
    -1000, -1001, -1003, -1006, -1007, -1008, -1015, -1021, -1022, -2010, -2011, -2013, -2014, -2015, -2019, -2021, -2022, -4116, -4118,
    -4120, -4131, -4164, -5028,
}  # fmt: skip
REFUSED, UNKNOWN, THROTTLED = Outcome.REFUSED, Outcome.UNKNOWN, Outcome.THROTTLED
CANNOT_TRADE, NOT_DONE = Outcome.CANNOT_TRADE, Outcome.NOT_DONE
OF_CODE = [
    (-1000, UNKNOWN), (-1001, UNKNOWN), (-1002, CANNOT_TRADE), (-1003, THROTTLED), (-1006, UNKNOWN), (-1007, UNKNOWN), (-1008, NOT_DONE),
    (-1015, THROTTLED), (-1021, REFUSED), (-1022, CANNOT_TRADE), (-2010, REFUSED), (-2011, REFUSED), (-2013, REFUSED),
    (-2014, CANNOT_TRADE), (-2015, CANNOT_TRADE), (-2019, REFUSED), (-2021, REFUSED), (-2022, REFUSED), (-4116, Outcome.DUPLICATE_ID),
    (-4118, REFUSED), (-4120, REFUSED), (-4131, REFUSED), (-4164, REFUSED), (-5028, REFUSED), (-9999, REFUSED),
]  # fmt: skip


@pytest.mark.parametrize(("code", "outcome"), OF_CODE)
def test_a_code_in_a_400_says_what_became_of_the_order(code: int, outcome: Outcome) -> None:
    assert judge(Answer(400, code, "as the venue says it"), NOW_MS).outcome is outcome


def test_every_code_that_the_issue_names_has_a_row_and_every_row_a_test() -> None:
    assert CODES.keys() >= NAMED_BY_THE_ISSUE
    assert {code for code, _ in OF_CODE} - {-9999} == CODES.keys()


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_row_has_a_word_and_says_what_to_do_next(code: int) -> None:
    row = CODES[code]
    assert row.word == row.word.upper()
    assert len(row.next) > 10
    assert advice(code) == row.next


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(200), Outcome.ACCEPTED),
        (Answer(200, 200, "The operation of cancel all open order is done."), Outcome.ACCEPTED),
        (Answer(401, -2015, "Invalid API-key"), CANNOT_TRADE),
        (Answer(403, 0, "<html>"), THROTTLED),
        (Answer(403, -2015, "Invalid API-key"), THROTTLED),
        (Answer(408, -1007, "Timeout"), UNKNOWN),
        (Answer(408, 0, ""), UNKNOWN),
        (Answer(418, -1003, BANNED), THROTTLED),
        (Answer(418, 0, "<html>teapot"), THROTTLED),
        (Answer(429, -1003, "Too many requests"), THROTTLED),
        (Answer(429, 0, ""), THROTTLED),
        (Answer(503, -1000, UNKNOWN_503), UNKNOWN),
        (Answer(503, 0, UNKNOWN_503), UNKNOWN),
        (Answer(503, 0, ""), UNKNOWN),
        (Answer(503, 0, "<html><title>503 Service Unavailable</title>"), UNKNOWN),
        (Answer(503, 0, "<h1>Service Unavailable</h1> No server is available"), UNKNOWN),
        (Answer(503, -1000, "Service Unavailable."), NOT_DONE),
        (Answer(503, 0, "service unavailable"), NOT_DONE),
        (Answer(503, -1008, BUSY_503), NOT_DONE),
        (Answer(500, 0, "Service Unavailable."), UNKNOWN),
        (Answer(500, -1000, "Internal"), UNKNOWN),
        (Answer(500, -2010, "refused, says something that is broken"), UNKNOWN),
        (Answer(500, -2015, "no such key, says something that is broken"), UNKNOWN),
        (Answer(500, -1003, "too many, says something that is broken"), UNKNOWN),
        (Answer(501, 0, ""), UNKNOWN),
        (Answer(502, 0, "<html>bad gateway"), UNKNOWN),
        (Answer(504, 0, "<html>gateway timeout"), UNKNOWN),
        (Answer(520, 0, "<html>cloud"), UNKNOWN),
        (Answer(301, 0, ""), UNKNOWN),
        (Answer(302, 0, ""), UNKNOWN),
        (Answer(307, -2010, "elsewhere"), UNKNOWN),
        (Answer(101, 0, ""), UNKNOWN),
        (Answer(400, 0, "not json"), UNKNOWN),
        (Answer(404, 0, "<html>not found"), UNKNOWN),
    ],
    ids=lambda value: f"{value.status}/{value.code}/{value.message[:12]}" if isinstance(value, Answer) else value,
)
def test_status_code_and_message_together_say_whether_it_was_done(answer: Answer, outcome: Outcome) -> None:
    """What is believed as "surely not done" must be the venue's own word: a page of a proxy is not."""
    assert judge(answer, NOW_MS).outcome is outcome


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>503 Service Unavailable</html>", b'{"code":-1008,"msg":"Request thr', b"\xff\xfe\x00", b"null", b"[]",
     b'{"code":"-1008"}',
     b'{"code":1e400,"msg":""}', b'{"code":-1008,"msg":7}'],
)  # fmt: skip
def test_a_body_that_cannot_be_read_bears_no_code_and_leaves_a_503_unknown(body: bytes) -> None:
    answer = read_answer(503, body, None)
    assert answer.code == 0
    assert judge(answer, NOW_MS).outcome is UNKNOWN


def test_a_readable_body_keeps_what_the_venue_said() -> None:
    assert read_answer(400, b'{"code":-2019,"msg":"Margin is insufficient.","more":1}', "7") == Answer(
        400, -2019, "Margin is insufficient.", 7.0
    )


@pytest.mark.parametrize("header", [None, "", "-1", "soon", "Wed, 21 Oct 2026 07:28:00 GMT", "٣", "1.5"])
def test_a_time_to_wait_that_is_no_number_of_seconds_is_passed_over(header: str | None) -> None:
    assert read_answer(429, b"", header).retry_after_seconds is None


def test_what_never_left_was_surely_not_done_and_what_left_is_unknown() -> None:
    assert judge_failure(bytes_were_sent=False).outcome is NOT_DONE
    assert judge_failure(bytes_were_sent=True).outcome is UNKNOWN


@pytest.mark.parametrize(
    ("answer", "seconds", "is_ban"),
    [
        (Answer(429, -1003, "", 7.0), 7.0, False),
        (Answer(429, -1003, ""), 10.0, False),
        (Answer(418, -1003, BANNED, 1.0), 90.0, True),
        (Answer(429, -1003, BANNED), 90.0, True),
        (Answer(400, -1003, BANNED), 90.0, True),
        (Answer(418, -1003, f"IP banned until {NOW_MS - 5_000}"), 1.0, True),
        (Answer(418, -1003, ""), 120.0, True),
        (Answer(418, -1003, "", 33.0), 33.0, True),
        (Answer(418, -1003, "banned until 99999999999999"), 259_200.0, True),
        (Answer(429, 0, "", 1e12), 259_200.0, False),
        (Answer(400, -1015, "Too many new orders; current limit is 300 orders per TEN_SECONDS."), 10.0, False),
        (Answer(403, 0, ""), 30.0, False),
    ],
)
def test_a_throttle_says_for_how_long_and_whether_the_address_is_banned(answer: Answer, seconds: float, is_ban: bool) -> None:
    judged = judge(answer, NOW_MS)
    assert (judged.retry_after_seconds, judged.is_ban) == (seconds, is_ban)
