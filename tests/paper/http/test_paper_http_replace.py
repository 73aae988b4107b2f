"""Cancel and place in one request, and every way in which half of it can fail."""


def replace(paper, **params):
    new = {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.02",
        "price": "31000",
        "cancelReplaceMode": "STOP_ON_FAILURE",
        **params,
    }
    return paper.signed("POST", "/api/v3/order/cancelReplace", **new)


def test_a_replacement_cancels_the_old_order_and_places_the_new_one(paper):
    old = paper.order().json()
    done = replace(paper, cancelOrderId=old["orderId"], newClientOrderId="replacement").json()
    assert (done["cancelResult"], done["newOrderResult"]) == ("SUCCESS", "SUCCESS")
    assert done["cancelResponse"]["origClientOrderId"] == old["clientOrderId"]
    assert done["newOrderResponse"]["price"] == "31000.00000000"
    open_ids = [o["orderId"] for o in paper.signed("GET", "/api/v3/openOrders").json()]
    assert old["orderId"] not in open_ids
    assert done["newOrderResponse"]["orderId"] in open_ids


def test_a_replacement_of_an_unknown_order_stops_or_goes_on_as_requested(paper):
    stopped = replace(paper, cancelOrigClientOrderId="nobody")
    assert stopped.status_code == 400
    assert stopped.json()["code"] == -2022
    assert stopped.json()["data"]["newOrderResult"] == "NOT_ATTEMPTED"
    went_on = replace(paper, cancelOrigClientOrderId="nobody", cancelReplaceMode="ALLOW_FAILURE")
    assert went_on.status_code == 409
    assert went_on.json()["code"] == -2021
    assert went_on.json()["data"]["cancelResponse"]["code"] == -2011
    assert went_on.json()["data"]["newOrderResponse"]["status"] == "NEW"


def test_a_replacement_whose_new_order_is_refused_still_cancels(paper):
    old = paper.order().json()
    half = replace(paper, cancelOrderId=old["orderId"], quantity="100", price="40000")
    assert half.status_code == 409
    assert half.json()["data"]["cancelResult"] == "SUCCESS"
    assert half.json()["data"]["newOrderResponse"]["code"] == -2010
    assert paper.query(orderId=old["orderId"]).json()["status"] == "CANCELED"


def test_a_replacement_that_breaks_a_rule_cancels_nothing(paper):
    old = paper.order().json()
    refused = replace(paper, cancelOrderId=old["orderId"], price="31000.001")
    assert refused.json()["code"] == -1013
    assert paper.query(orderId=old["orderId"]).json()["status"] == "NEW"
