"""The model's dataclasses as pydantic schemas: what `json_form` checks, reads, writes and describes with.

The model knows nothing of pydantic, so its annotations are walked here and turned into core schemas
once per class. What the annotations cannot say stands in tables beside the walk: the lengths of OGC
06-141r6's schema, the parts of which exactly one is given, and what never leaves the service. This module
imports pydantic; `json_form` imports it on first use.
"""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import GetCoreSchemaHandler, PlainSerializer, PlainValidator, TypeAdapter, WithJsonSchema
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema
from pydantic_core.core_schema import CoreSchema

from oseo_lab.encoding.json_values import plain_values, read_values
from oseo_lab.model import delivery, identifiers, messages, options, order, quotation
from oseo_lab.model.collection import (
    Collection,
    CollectionCapability,
    OrderOptions,
    PaymentOption,
    SceneSelectionOption,
    TaskingRule,
)
from oseo_lab.model.delivery import Secret

__all__ = ["Schema", "adapter", "children", "definitions_of", "hints", "plain"]

#: Characters XML 1.0 can carry: what came in as JSON must go out as XML.
XML_TEXT = "^[\\t\\n\\r\\x20-\\u{D7FF}\\u{E000}-\\u{FFFD}\\u{10000}-\\u{10FFFF}]*$"
#: Whole numbers that every JSON reader keeps exact (RFC 8259, section 6).
EXACT = 2**53

#: Shortest and longest text of a field, characters (facets of oseo.xsd 1.0.0).
LENGTHS: dict[tuple[type, str], tuple[int, int]] = {
    (order.ItemSpecification, "item_id"): (1, 80),
    (order.ItemSpecification, "product_order_options_id"): (1, 40),
    (order.ItemSpecification, "remark"): (0, 4000),
    (order.OrderSpecification, "order_reference"): (1, order.REFERENCE_LENGTH),
    (order.OrderSpecification, "order_remark"): (1, 4000),
    (order.Payment, "payment_method"): (1, 40),
    (order.Payment, "order_account"): (0, 20),
    (order.Payment, "credit_card_info"): (0, 255),
    (order.StatusInfo, "additional"): (1, 4000),
    (order.StatusInfo, "mission_specific"): (0, 4000),
    (identifiers.ProductId, "identifier"): (1, 1000),
    (identifiers.ProductId, "collection_id"): (1, 255),
    (identifiers.SubscriptionId, "collection_id"): (1, 255),
    (delivery.DeliveryOptions, "product_annotation"): (0, 4000),
    (delivery.DeliveryOptions, "special_instructions"): (0, 4000),
    (delivery.OnlineAddress, "server_address"): (0, 255),
    (delivery.OnlineAddress, "user_name"): (0, 8),
    (delivery.OnlineAddress, "user_password"): (0, 20),
    (delivery.OnlineAddress, "path"): (0, 1024),
    (delivery.PostalAddress, "street_address"): (0, 40),
    (delivery.PostalAddress, "city"): (0, 40),
    (delivery.PostalAddress, "state"): (0, 40),
    (delivery.PostalAddress, "postal_code"): (0, 12),
    (delivery.PostalAddress, "country"): (0, 40),
    (delivery.PostalAddress, "post_box"): (0, 12),
    (delivery.DeliveryAddress, "first_name"): (1, 40),
    (delivery.DeliveryAddress, "last_name"): (1, 40),
    (delivery.DeliveryAddress, "company_ref"): (1, 40),
    (delivery.DeliveryAddress, "telephone_number"): (1, 18),
    (delivery.DeliveryAddress, "facsimile_telephone_number"): (1, 18),
    (quotation.Price, "currency"): (0, 10),
    (quotation.ProviderName, "service_name"): (0, 40),
    (quotation.ProviderName, "organization"): (0, 40),
    (quotation.ItemPrice, "item_id"): (1, 80),
    (quotation.ItemPrice, "price_information"): (0, quotation.INFORMATION_LENGTH),
    (quotation.ItemPrice, "contract_information"): (0, quotation.CONTRACT_LENGTH),
    (quotation.ItemGroupPrice, "contract_information"): (0, quotation.CONTRACT_LENGTH),
    (quotation.Quotation, "contract_information"): (0, quotation.CONTRACT_LENGTH),
    (messages.FilteringCriteria, "order_reference"): (1, order.REFERENCE_LENGTH),
    (messages.GetOptions, "collection_id"): (1, 255),
    (CollectionCapability, "collection_id"): (1, 255),
    (Collection, "id"): (1, 255),
    (OrderOptions, "product_order_options_id"): (1, 40),
    (OrderOptions, "description"): (0, 255),
    (PaymentOption, "payment_method"): (1, 40),
    (SceneSelectionOption, "name"): (0, 60),
    (SceneSelectionOption, "description"): (0, 4000),
}

#: Messages of which exactly one part is given (choices of oseo.xsd).
ONE_OF: dict[type, tuple[str, ...]] = {
    messages.GetOptions: ("collection_id", "identifiers", "tasking_request_id"),
    messages.GetQuotation: ("specification", "quotation_id"),
    messages.Submit: ("specification", "quotation_id"),
    messages.GetStatus: ("order_id", "filtering_criteria"),
}

#: Read from a message, never written into one.
UNWRITTEN: dict[type, frozenset[str]] = {
    delivery.OnlineAddress: frozenset({"user_password"}),
    order.Payment: frozenset({"credit_card_info"}),
    Collection: frozenset({"catalogue_settings", "quoter_settings", "provider_settings"}),
    TaskingRule: frozenset({"settings"}),
}

#: Kinds of an order item's identifier, by the key that only this kind has; looked for in this order.
IDENTIFIER_KEYS: dict[str, type] = {
    "identifier": identifiers.ProductId,
    "id": identifiers.TaskingRequestId,
    "collection_id": identifiers.SubscriptionId,
}


def instant(text: object) -> datetime:
    """Read an ISO 8601 instant; without a zone it is UTC."""
    if isinstance(text, datetime):
        found = text
    else:
        try:
            found = datetime.fromisoformat(text)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise PydanticCustomError("instant", "is not a time such as 2024-06-01T10:00:00Z") from None
    try:
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError:
        raise PydanticCustomError("instant", "is outside the years 1 to 9999") from None


def instant_text(moment: datetime) -> str:
    """Write an instant in UTC with a ``Z``; a naive one is read as UTC."""
    aware = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.isoformat().replace("+00:00", "Z")


def _values(plain: object) -> options.Values:
    try:
        return read_values(plain)
    except ValueError as wrong:
        raise PydanticCustomError("values", "{text}", {"text": str(wrong)}) from None


def plain(value: Any) -> Any:
    """Return a model value, or lists and mappings of them, as what `json` can write (see `json_form`)."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Secret):
        return "***"
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return adapter(type(value)).dump_python(value, mode="json", exclude_none=True)
    if isinstance(value, Iterable):
        return [plain(each) for each in value]
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


Instant = Annotated[
    datetime,
    PlainValidator(instant),
    PlainSerializer(instant_text, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Selections = Annotated[
    tuple[Any, ...],
    PlainValidator(_values),
    PlainSerializer(plain_values),
    WithJsonSchema(
        {
            "description": "Values by option name: text, number or boolean; an object for named parts; "
            "a list where a name repeats.",
            "anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}],
        }
    ),
]
Anything = Annotated[Any, PlainSerializer(plain)]


def hints(cls: type) -> dict[str, Any]:
    """Return the annotations of a dataclass's own and inherited fields, evaluated."""
    found = get_type_hints(cls)
    return {each.name: found[each.name] for each in dataclasses.fields(cls)}


def _kinds_below(cls: type) -> list[type]:
    """Return the kinds below an abstract class: those that name a ``kind`` of their own."""
    below: list[type] = []
    child: type
    for child in cls.__subclasses__():
        below += [child, *_kinds_below(child)]
    return [each for each in below if "kind" in vars(each)]


def children(annotation: Any) -> dict[str, type]:
    """Return the classes a value of this annotation may have, by the tag that tells them apart."""
    members: list[Any] = [each for each in get_args(annotation) if each is not type(None)] or [annotation]
    if members == [options.Component]:
        members = [*_kinds_below(options.Component)]
    if set(members) == set(IDENTIFIER_KEYS.values()):
        return dict(IDENTIFIER_KEYS)
    classes = [each for each in members if isinstance(each, type) and dataclasses.is_dataclass(each)]
    return {str(getattr(each, "kind", each.__name__)): each for each in classes}


def _identifier_tag(value: Any) -> str | None:
    if isinstance(value, Mapping):
        return next((key for key in IDENTIFIER_KEYS if key in value), None)
    return next((key for key, cls in IDENTIFIER_KEYS.items() if isinstance(value, cls)), None)


class _Walk:
    """One walk over the annotations below a class; collects one definition per dataclass met."""

    def __init__(self, handler: GetCoreSchemaHandler) -> None:
        self.handler = handler
        self.definitions: dict[str, CoreSchema] = {}
        self.leaves: dict[Any, Callable[[], CoreSchema]] = {
            str: lambda: core_schema.str_schema(strict=True, pattern=XML_TEXT),
            bool: lambda: core_schema.bool_schema(strict=True),
            int: lambda: core_schema.int_schema(strict=True, ge=-EXACT, le=EXACT),
            float: lambda: core_schema.float_schema(strict=True, allow_inf_nan=False),
            datetime: lambda: handler.generate_schema(Instant),
            Any: lambda: handler.generate_schema(Anything),
            object: lambda: handler.generate_schema(Anything),
        }

    def schema(self, annotation: Any, length: tuple[int, int] | None = None) -> CoreSchema:
        """Return the core schema of one annotation."""
        if annotation is Secret or (annotation is str and length):
            return self._text(annotation, length)
        if annotation in self.leaves:
            return self.leaves[annotation]()
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin in (Union, types.UnionType):
            return self._union(annotation, arguments, length)
        if origin is tuple:
            return self._tuple(arguments, length)
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return core_schema.dict_schema(self.schema(str), self.schema(arguments[1]))
        if isinstance(annotation, type) and issubclass(annotation, Enum):
            return core_schema.enum_schema(annotation, list(annotation), sub_type="str")
        if annotation is options.Component:
            return self._tagged(children(annotation))
        return self._reference(annotation)

    def _text(self, annotation: Any, length: tuple[int, int] | None) -> CoreSchema:
        low, high = length or (0, 10_000)
        text = core_schema.str_schema(strict=True, pattern=XML_TEXT, min_length=low or None, max_length=high)
        return text if annotation is str else core_schema.no_info_after_validator_function(Secret, text)

    def _union(self, annotation: Any, members: tuple[Any, ...], length: tuple[int, int] | None) -> CoreSchema:
        some = [each for each in members if each is not type(None)]
        inner = self.schema(some[0], length) if len(some) == 1 else self._tagged(children(annotation))
        return core_schema.nullable_schema(inner) if len(some) < len(members) else inner

    def _tagged(self, classes: dict[str, type]) -> CoreSchema:
        choices = {tag: self._reference(cls) for tag, cls in classes.items()}
        by = _identifier_tag if classes == IDENTIFIER_KEYS else "kind"
        return core_schema.tagged_union_schema(choices, discriminator=by)

    def _tuple(self, arguments: tuple[Any, ...], length: tuple[int, int] | None) -> CoreSchema:
        if arguments[-1] is Ellipsis:
            return core_schema.tuple_variable_schema(self.schema(arguments[0], length))
        return core_schema.tuple_positional_schema([self.schema(each) for each in arguments])

    def _reference(self, cls: type) -> CoreSchema:
        reference = f"{cls.__module__}.{cls.__qualname__}:{id(cls)}"
        if reference not in self.definitions:
            self.definitions[reference] = core_schema.any_schema()  # holds the place while its fields are met
            self.definitions[reference] = self._dataclass(cls, reference)
        return core_schema.definition_reference_schema(reference)

    def _dataclass(self, cls: type, reference: str) -> CoreSchema:
        members = [
            self._field(cls, each, hint) for each, hint in zip(_fields(cls), hints(cls).values(), strict=True)
        ]
        names = [each.name for each in _fields(cls)]
        computed: list[core_schema.ComputedField] = []
        kind = vars(cls).get("kind")
        if isinstance(kind, str):  # a ClassVar that tells the kinds of a union apart
            tag = core_schema.with_default_schema(core_schema.literal_schema([kind]), default=kind)
            members.insert(0, core_schema.dataclass_field("kind", tag, kw_only=True, init_only=True))
            computed.append(core_schema.computed_field("kind", core_schema.str_schema()))
        arguments = core_schema.dataclass_args_schema(
            cls.__name__, members, computed_fields=computed, extra_behavior="forbid"
        )
        made = core_schema.dataclass_schema(
            cls,
            arguments,
            names,
            slots=hasattr(cls, "__slots__"),
            frozen=True,
            ref=None if cls in ONE_OF else reference,
        )
        if cls not in ONE_OF:
            return made
        return core_schema.no_info_after_validator_function(_exactly_one, made, ref=reference)

    def _field(self, cls: type, each: dataclasses.Field[Any], hint: Any) -> core_schema.DataclassField:
        if cls is options.ParameterData and each.name == "values":
            schema = self.handler.generate_schema(Selections)
        else:
            schema = self.schema(hint, each.metadata.get("length") or LENGTHS.get((cls, each.name)))
        if "check" in each.metadata:
            schema = core_schema.no_info_after_validator_function(each.metadata["check"], schema)
        if each.default is not dataclasses.MISSING:
            schema = core_schema.with_default_schema(schema, default=each.default)
        elif each.default_factory is not dataclasses.MISSING:
            schema = core_schema.with_default_schema(schema, default_factory=each.default_factory)
        extra = {"description": each.metadata["description"]} if "description" in each.metadata else {}
        hidden = each.name in UNWRITTEN.get(cls, ())
        if hidden:
            extra["writeOnly"] = True
        return core_schema.dataclass_field(
            each.name,
            schema,
            kw_only=True,
            serialization_exclude=hidden or None,
            metadata={"pydantic_js_updates": extra} if extra else None,
        )


def _fields(cls: type) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(cls)


def _exactly_one(message: Any) -> Any:
    names = ONE_OF[type(message)]
    given = [name for name in names if getattr(message, name) not in (None, ())]
    if not given:
        raise PydanticCustomError(
            "none_given", "exactly one of {names} is needed", {"names": ", ".join(names)}
        )
    if len(given) > 1:
        raise PydanticCustomError(
            "several_given", "only one of {names} may be given", {"names": ", ".join(given)}
        )
    return message


def _stand_in(cls: Any) -> Any:
    """Return a type that tells pydantic to take our schema for a class instead of its own."""

    def core(_: Any, __: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        walk = _Walk(handler)
        schema = walk.schema(cls)
        return core_schema.definitions_schema(schema, list(walk.definitions.values()))

    return type("StandIn", (), {"__get_pydantic_core_schema__": classmethod(core)})


class Schema(GenerateJsonSchema):
    """JSON Schema 2020-12 without what is for machines alone: the characters of XML, exact numbers."""

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        """Leave out the pattern every text has."""
        found = super().str_schema(schema)
        if found.get("pattern") == XML_TEXT:
            del found["pattern"]
        return found

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Titles made of names say nothing that the names do not."""
        return False

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        """Say that unknown keys are refused, which kind it is, and the docstring's first paragraph alone."""
        found = super().dataclass_schema(schema)
        found["additionalProperties"] = False
        kind = vars(schema["cls"]).get("kind")
        if isinstance(kind, str):
            found["properties"] = {"kind": {"const": kind, "type": "string"}, **found.get("properties", {})}
            found["required"] = ["kind", *found.get("required", ())]
        if "description" in found:
            found["description"] = " ".join(found["description"].partition("\n\n")[0].split())
        return found


_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def adapter(cls: Any) -> TypeAdapter[Any]:
    """Return the pydantic adapter of a model class (or annotation), made once."""
    if cls not in _ADAPTERS:
        _ADAPTERS[cls] = TypeAdapter(_stand_in(cls))
    return _ADAPTERS[cls]


def definitions_of(classes: Mapping[str, Any], template: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return JSON Schemas of several classes: one schema each, by key, and what they share, by name."""
    mode: JsonSchemaMode = "validation"
    schemas, shared = TypeAdapter.json_schemas(
        [(key, mode, adapter(cls)) for key, cls in classes.items()],
        ref_template=template,
        schema_generator=Schema,
    )
    return {key: schema for (key, _), schema in schemas.items()}, shared.get("$defs", {})
