"""What an answer of the venue means for an order (reference: error semantics of Binance USDⓈ-M futures)."""

import pytest

from quantum_engine.exchanges.binance_futures.outcome import Answer, Outcome, judge, judge_failure

NOW_MS = 1_800_000_000_000
UNKNOWN_503 = "Unknown error, please check your request or try again later."


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(200), Outcome.ACCEPTED),
        (Answer(200, 200, "The operation of cancel all open order is done."), Outcome.ACCEPTED),
        (Answer(429, -1003, "Too many requests"), Outcome.THROTTLED),
        (Answer(418, -1003, "banned"), Outcome.THROTTLED),
        (Answer(400, -1003, "Too much request weight used"), Outcome.THROTTLED),
        (Answer(400, -1015, "Too many new orders; current limit is 300 orders per TEN_SECONDS."), Outcome.THROTTLED),
        (Answer(403, 0, "<html>"), Outcome.THROTTLED),
        (Answer(408, -1007, "Timeout"), Outcome.UNKNOWN),
        (Answer(400, -1006, "UNEXPECTED_RESP"), Outcome.UNKNOWN),
        (Answer(400, -1007, "TIMEOUT"), Outcome.UNKNOWN),
        (Answer(400, -1000, "UNKNOWN"), Outcome.UNKNOWN),
        (Answer(400, -1001, "DISCONNECTED"), Outcome.UNKNOWN),
        (Answer(503, -1000, UNKNOWN_503), Outcome.UNKNOWN),
        (Answer(503, 0, ""), Outcome.UNKNOWN),
        (Answer(502, 0, "<html>bad gateway"), Outcome.UNKNOWN),
        (Answer(500, -1000, "Internal"), Outcome.UNKNOWN),
        (Answer(302, 0, ""), Outcome.UNKNOWN),
        (Answer(400, 0, "not json"), Outcome.UNKNOWN),
        (Answer(503, -1000, "Service Unavailable."), Outcome.NOT_DONE),
        (Answer(503, -1008, "Request throttled by system-level protection."), Outcome.NOT_DONE),
        (Answer(400, -1021, "Timestamp for this request is outside of the recvWindow."), Outcome.REFUSED),
        (Answer(400, -1022, "Signature for this request is not valid."), Outcome.REFUSED),
        (Answer(401, -2015, "Invalid API-key"), Outcome.REFUSED),
        (Answer(400, -2010, "NEW_ORDER_REJECTED"), Outcome.REFUSED),
        (Answer(400, -2011, "Unknown order sent."), Outcome.REFUSED),
        (Answer(400, -2013, "Order does not exist."), Outcome.REFUSED),
        (Answer(400, -2019, "Margin is insufficient."), Outcome.REFUSED),
        (Answer(400, -2021, "Order would immediately trigger."), Outcome.REFUSED),
        (Answer(400, -2022, "ReduceOnly Order is rejected."), Outcome.REFUSED),
        (Answer(400, -4116, "ClientOrderId is duplicated."), Outcome.DUPLICATE_ID),
        (Answer(400, -4118, "ReduceOnly Order Failed."), Outcome.REFUSED),
        (Answer(400, -4120, "use algo endpoint"), Outcome.REFUSED),
        (Answer(400, -4131, "PERCENT_PRICE"), Outcome.REFUSED),
        (Answer(400, -4164, "MIN_NOTIONAL"), Outcome.REFUSED),
    ],
    ids=lambda value: f"{value.status}/{value.code}" if isinstance(value, Answer) else value,
)
def test_status_code_and_message_together_say_whether_it_was_done(answer: Answer, outcome: Outcome) -> None:
    assert judge(answer, NOW_MS).outcome is outcome


def test_what_never_left_was_surely_not_done_and_what_left_is_unknown() -> None:
    assert judge_failure(bytes_were_sent=False).outcome is Outcome.NOT_DONE
    assert judge_failure(bytes_were_sent=True).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (Answer(429, -1003, "", 7.0), 7.0),
        (Answer(418, -1003, f"Way too many requests; IP banned until {NOW_MS + 90_000}.", 1.0), 90.0),
        (Answer(418, -1003, f"IP banned until {NOW_MS - 5_000}"), 1.0),
        (Answer(418, -1003, ""), 120.0),
        (Answer(400, -1015, ""), 10.0),
        (Answer(403, 0, ""), 30.0),
    ],
)
def test_a_throttle_says_for_how_long(answer: Answer, seconds: float) -> None:
    assert judge(answer, NOW_MS).retry_after_seconds == seconds
