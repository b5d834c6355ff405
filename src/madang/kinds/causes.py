"""What validation finds: one cause a fault, in the API's own words (apimachinery util/validation/field).

In: field paths and values. Out: `Cause` values; `api` makes the 422 Status of them.
"""

from typing import NamedTuple


class Cause(NamedTuple):
    """`reason` is FieldValueRequired, FieldValueInvalid, FieldValueNotSupported, FieldValueForbidden,
    FieldValueDuplicate, FieldValueTooLong, FieldValueTooMany, FieldValueTypeInvalid or FieldValueNotFound;
    `message` the whole text of the cause, e.g. `Invalid value: 0: must be between 1 and 65535, inclusive`."""

    field: str
    reason: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"
