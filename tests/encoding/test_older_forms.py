"""Requests as the printed standard's examples have them: taken where they can mean one thing only."""

from __future__ import annotations

import pytest

from oseo_lab.encoding.mending import mend
from oseo_lab.encoding.oseo import decode_request, decode_response
from oseo_lab.encoding.xmltree import OSEO, parse
from oseo_lab.model.errors import BadMessage
from oseo_lab.model.messages import CancelAck, ResponseStatus
from oseo_lab.model.options import Encoding, ParameterData

SPS = "http://www.opengis.net/sps/2.0"
SWE = "http://www.opengis.net/swe/2.0"


def submit(option: str = "", address: str = ""):
    information = f"<deliveryInformation><mailAddress>{address}</mailAddress></deliveryInformation>"
    return decode_request(
        parse(
            f'<Submit xmlns="{OSEO}" xmlns:sps="{SPS}" xmlns:swe="{SWE}" service="OS" version="1.0.0">'
            f"<orderSpecification>{information if address else ''}<orderType>PRODUCT_ORDER</orderType>"
            f"<orderItem><itemId>1</itemId>{f'<option>{option}</option>' if option else ''}"
            "<productId><identifier>A</identifier></productId></orderItem></orderSpecification>"
            "<statusNotification>None</statusNotification></Submit>".encode()
        )
    ).specification


def data(encoding: str, values: str, prefix: str = "sps:") -> str:
    return (
        f"<{prefix}ParameterData><{prefix}encoding>{encoding}</{prefix}encoding>"
        f"<{prefix}values>{values}</{prefix}values></{prefix}ParameterData>"
    )


@pytest.mark.parametrize(
    ("option", "meant"),
    [
        (
            data('<swe:XMLEncoding defaultNamespace="urn:x"/>', '<format xmlns="urn:x">PNG</format>'),
            ParameterData(values=(("format", "PNG"),)),
        ),
        (data("XMLEncoding", "<a>1</a>"), ParameterData(values=(("a", "1"),))),
        (data("<swe:XMLEncoding/>", "<a>1</a>", prefix=""), ParameterData(values=(("a", "1"),))),
        (
            data('<swe:TextEncoding tokenSeparator="," blockSeparator="&#10;"/>', "PNG,8"),
            ParameterData(encoding=Encoding.TEXT, text="PNG,8"),
        ),
    ],
    ids=["an encoding with a namespace", "the namespace alone", "the encoding alone", "tokens"],
)
def test_selections_of_the_planning_service_are_read(option, meant):
    assert submit(option).items[0].options == (meant,)


@pytest.mark.parametrize(
    "option",
    [
        data('<swe:TextEncoding tokenSeparator=";"/>', "PNG;8"),
        data("<swe:BinaryEncoding/>", "x"),
        data("<swe:XMLEncoding/><swe:XMLEncoding/>", "<a>1</a>"),
        data("XMLEncoding", "<a>1</a>") * 2,
        "<sps:ParameterData/>",
        "<sps:Other/>",
    ],
    ids=["other separators", "binary", "two encodings", "two of them", "nothing in it", "something else"],
)
def test_what_could_mean_something_else_is_refused(option):
    with pytest.raises(BadMessage):
        submit(option)


def test_a_recipient_is_the_last_name_of_an_address_without_one():
    address = submit(address="<recipient>ESRIN</recipient><companyRef>ESA</companyRef>").delivery_information
    assert (address.mail_address.last_name, address.mail_address.company_ref) == ("ESRIN", "ESA")
    with pytest.raises(BadMessage, match="recipient"):
        submit(address="<firstName>A</firstName><recipient>B</recipient>")


def test_an_answer_that_says_incomplete_is_partial():
    answer = parse(
        f'<CancelAck xmlns="{OSEO}"><status>incomplete</status><errorMessage>1 left</errorMessage>'
        "</CancelAck>".encode()
    )
    mend(answer)
    assert decode_response(answer) == CancelAck(status=ResponseStatus.PARTIAL, error_message="1 left")
