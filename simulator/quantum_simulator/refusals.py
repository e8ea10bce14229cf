"""The venue's "no": Binance's error codes with Binance's sentences.  Pure.

In    nothing; every name below is one documented (code, message, HTTP status)
Out   ``VenueRefusal``, raised by admission and the endpoints, rendered as ``{"code": …, "msg": …}``
Flow  admission, endpoints, signature -> HERE -> rest.server
Why   clients decide by the code alone whether an order may be live, so a code is never approximated
"""

from typing import Final


class VenueRefusal(Exception):  # noqa: N818 - a refusal is the venue's answer, not a fault of the program
    """The request was understood and surely not carried out."""

    __slots__ = ("code", "http_status", "message")

    def __init__(self, code: int, message: str, http_status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.http_status = http_status


class Words:
    """(code, message[, HTTP status]) as the venue sends them."""

    UNSUPPORTED: Final = (-1020, "This operation is not supported.")
    OUTSIDE_RECV_WINDOW: Final = (-1021, "Timestamp for this request is outside of the recvWindow.")
    AHEAD_OF_SERVER: Final = (-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    BAD_SIGNATURE: Final = (-1022, "Signature for this request is not valid.")
    TOO_MUCH_PRECISION: Final = (-1111, "Precision is over the maximum defined for this asset.")
    REDUCE_ONLY_IN_HEDGE_MODE: Final = (-1106, "Parameter 'reduceonly' sent when not required.")
    BAD_TIME_IN_FORCE: Final = (-1115, "Invalid timeInForce.")
    BAD_ORDER_TYPE: Final = (-1116, "Invalid orderType.")
    BAD_SIDE: Final = (-1117, "Invalid side.")
    BAD_INTERVAL: Final = (-1120, "Invalid interval.")
    BAD_SYMBOL: Final = (-1121, "Invalid symbol.")
    NO_LISTEN_KEY: Final = (-1125, "This listenKey does not exist.")
    BAD_COMBINATION: Final = (-1128, "Combination of optional parameters invalid.")
    CANCEL_REJECTED: Final = (-2011, "Unknown order sent.")
    NO_SUCH_ORDER: Final = (-2013, "Order does not exist.")
    BAD_KEY_FORMAT: Final = (-2014, "API-key format invalid.", 401)
    REJECTED_KEY: Final = (-2015, "Invalid API-key, IP, or permissions for action.", 401)
    MARGIN_INSUFFICIENT: Final = (-2019, "Margin is insufficient.")
    WOULD_TRIGGER: Final = (-2021, "Order would immediately trigger.")
    REDUCE_ONLY_REJECTED: Final = (-2022, "ReduceOnly Order is rejected.")
    MAX_OPEN_ORDERS: Final = (-2025, "Reach max open order limit.")
    POSITION_ABOVE_MAX: Final = (-2027, "Exceeded the maximum allowable position at current leverage.")
    LEVERAGE_TOO_SMALL: Final = (-2028, "Leverage is smaller than permitted: insufficient margin balance.")
    PRICE_NOT_POSITIVE: Final = (-4001, "Price less than 0.")
    PRICE_ABOVE_MAX: Final = (-4002, "Price greater than max price.")
    QUANTITY_NOT_POSITIVE: Final = (-4003, "Quantity less than or equal to zero.")
    QUANTITY_BELOW_MIN: Final = (-4004, "Quantity less than min quantity.")
    QUANTITY_ABOVE_MAX: Final = (-4005, "Quantity greater than max quantity.")
    PRICE_BELOW_MIN: Final = (-4013, "Price less than min price.")
    PRICE_OFF_TICK: Final = (-4014, "Price not increased by tick size.")
    BAD_CLIENT_ID: Final = (-4015, "Client order id is not valid.")
    QUANTITY_OFF_STEP: Final = (-4023, "Quantity not increased by step size.")
    BAD_WORKING_TYPE: Final = (-4031, "Invalid parameter working type.")
    MAX_STOP_ORDERS: Final = (-4045, "Reach max stop order limit.")
    NO_MARGIN_TYPE_CHANGE: Final = (-4046, "No need to change margin type.")
    NO_POSITION_SIDE_CHANGE: Final = (-4059, "No need to change position side.")
    BAD_POSITION_SIDE: Final = (-4060, "Invalid position side.")
    POSITION_SIDE_MISMATCH: Final = (-4061, "Order's position side does not match user's setting.")
    MODE_FIXED_BY_ORDERS: Final = (-4067, "Position side cannot be changed if there exists open orders.")
    MODE_FIXED_BY_POSITION: Final = (-4068, "Position side cannot be changed if there exists position.")
    BAD_TIME_INTERVAL: Final = (-4165, "Invalid time interval.")
    DUPLICATE_CLIENT_ID: Final = (-4116, "ClientOrderId is duplicated.")
    REDUCE_ONLY_COVERED: Final = (-4118, "ReduceOnly Order Failed. Please check your existing position and open orders.")
    USE_ALGO_ENDPOINT: Final = (-4120, "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.")
    MARKET_BEYOND_BOUND: Final = (-4131, "The counterparty's best price does not meet the PERCENT_PRICE filter limit.")
    ASSET_MODE_REPEATED: Final = (-4171, "Adjusted asset mode is currently set and does not need to be adjusted repeatedly")
    BAD_BATCH_PLACE: Final = (-4082, "Invalid number of batch place orders.")
    BAD_BATCH_CANCEL: Final = (-4083, "Invalid number of batch cancel orders.")
    FOK_NOT_FILLABLE: Final = (
        -5021,
        "Due to the order could not be filled immediately, the FOK order has been rejected. "
        "The order will not be recorded in the order history",
    )
    GTX_WOULD_TAKE: Final = (
        -5022,
        "Due to the order could not be executed as maker, the Post Only order will be rejected. "
        "The order will not be recorded in the order history",
    )
    TOO_MANY_AMENDMENTS: Final = (-5026, "Exceed maximum modify order limit.")
    NO_AMENDMENT: Final = (-5027, "No need to modify the order.")


def refuse(words: tuple[int, str] | tuple[int, str, int]) -> VenueRefusal:
    return VenueRefusal(*words)


def missing(name: str) -> VenueRefusal:
    return VenueRefusal(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
