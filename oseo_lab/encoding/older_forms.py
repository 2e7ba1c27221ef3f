"""Older forms of a request, as the printed standard's examples still have them and its schema no longer.

Beside `checking`: asked only where a request was refused, and the check has the last word. Where the text and
the schema of 06-141r6 differ the schema counts; taken all the same is what can mean one thing only:
``ParameterData`` as the Sensor Planning Service wrote it (another namespace, the encoding as an element of
SWE Common; OGC 09-000), and the ``recipient`` of an address. Tokens with separators of their own are left as
they are, and refused: they would mean something else here.
"""

from __future__ import annotations

from lxml import etree

from oseo_lab.encoding.xmltree import OSEO, local_name
from oseo_lab.model.text_encoding import TextSeparators

__all__ = ["modernised"]

_O = f"{{{OSEO}}}"
_DATA = ("ParameterData", "encoding", "values")
_ENCODINGS = ("XMLEncoding", "TextEncoding")
#: Attributes of an encoding that say how tokens are told apart, and what they are without it.
_MARKS = {
    "tokenSeparator": TextSeparators().token,
    "blockSeparator": TextSeparators().block,
    "decimalSeparator": TextSeparators().decimal,
}


def modernised(element: etree._Element) -> bool:
    """Change a request in place to the schema's form; return whether anything was of an older one."""
    found = False
    for each in element.iter(f"{_O}option", f"{_O}sceneSelection"):
        found |= len(each) == 1 and _parameter_data(each[0])
    for each in element.iter(f"{_O}mailAddress", f"{_O}invoiceAddress"):
        found |= _recipient(each)
    return found


def _parameter_data(data: etree._Element) -> bool:
    """Give a selection its schema's names; values keep theirs, for they are matched by local name."""
    parts = (data, *data)
    if tuple(local_name(each) for each in parts) != _DATA:
        return False
    encoding = data[0]
    name = local_name(encoding[0]) if len(encoding) == 1 else ""
    is_element = name in _ENCODINGS and not (encoding.text or "").strip()
    if is_element and any(encoding[0].get(mark, usual) != usual for mark, usual in _MARKS.items()):
        return False
    if is_element:
        del encoding[0]
        encoding.text = name
    is_older = is_element or any(not str(each.tag).startswith(_O) for each in parts)
    for each in parts:
        each.tag = f"{_O}{local_name(each)}"
    return is_older


def _recipient(address: etree._Element) -> bool:
    """Take a recipient for the last name of an address that names nobody else."""
    recipient = address.find(f"{_O}recipient")
    named = (f"{_O}firstName", f"{_O}lastName", f"{_O}recipient")
    if recipient is None or sum(each.tag in named for each in address) != 1:
        return False
    recipient.tag = f"{_O}lastName"
    return True
