"""The official schemas from a folder: what they refuse, and what is said of a folder that is not whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from oseo_lab.encoding.oseo import encode_request
from oseo_lab.encoding.schemas import OfficialSchemas
from oseo_lab.encoding.soap import SoapVersion, request_envelope
from oseo_lab.model.errors import ConfigurationError
from oseo_lab.model.messages import GetCapabilities


@pytest.fixture(scope="module")
def schemas(shared: Path) -> OfficialSchemas:
    return OfficialSchemas(shared / "schemas")


@pytest.mark.parametrize("version", SoapVersion)
def test_an_envelope_and_what_is_in_it_are_checked(schemas: OfficialSchemas, version: SoapVersion) -> None:
    body = request_envelope(encode_request(GetCapabilities()), version)
    assert schemas.complaints(etree.fromstring(body)) == []
    (said,) = schemas.complaints(etree.fromstring(body.replace(b' service="OS"', b' service="OS" a="b"')))
    assert "'a' is not allowed" in said


def test_a_folder_that_is_not_whole_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"soap/envelope/envelope\.xsd"):
        OfficialSchemas(tmp_path)
