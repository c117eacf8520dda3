"""Mobile numbers, to which SMS codes go: Mainland China, Hong Kong, Macao, Taiwan."""

import re

import phonenumbers

from idp.errors import DomainError
from idp.rules.typed import has_full_width

_MAINLAND = "+86"
COUNTRY_CODES = (_MAINLAND, "+852", "+853", "+886")
_MOBILE_TYPES = {phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE}
_SEPARATORS = re.compile(r"[ \u00a0-]")  # people copy 138 0013 8000 and 138-0013-8000 out of their contacts
_DIGITS = re.compile(r"\+?[0-9]{6,15}")


class PhoneRefused(DomainError):
    """Base of all refusals of a phone number; its field is `phone`."""

    code = "phone_refused"

    def __init__(self) -> None:
        super().__init__("phone")


class PhoneFullWidth(PhoneRefused):
    """Typed with full-width characters."""

    code = "phone_full_width"


class PhoneFormat(PhoneRefused):
    """No phone number: other characters than digits, or a length that nobody has."""

    code = "phone_format"


class PhoneRegion(PhoneRefused):
    """A number with a country code other than +86, +852, +853 and +886."""

    code = "phone_region"


class PhoneNotMobile(PhoneRefused):
    """A landline, a service number, or one in no range that is given to mobile phones."""

    code = "phone_not_mobile"


def check_phone(number: str) -> str:
    """Return a mobile number in E.164 form, `+8613800138000`.

    Without a country code it is a mainland number. Spaces and hyphens between the digits are dropped; brackets,
    extensions and a trunk zero are refused, because what is left then is a guess. Raises a `PhoneRefused`.
    """
    if has_full_width(number):
        raise PhoneFullWidth
    digits = _SEPARATORS.sub("", number.strip())
    if not _DIGITS.fullmatch(digits):
        raise PhoneFormat
    international = digits if digits.startswith("+") else _MAINLAND + digits
    if not international.startswith(COUNTRY_CODES):
        raise PhoneRegion
    try:
        parsed = phonenumbers.parse(international)
    except phonenumbers.NumberParseException:
        raise PhoneFormat from None
    if phonenumbers.number_type(parsed) not in _MOBILE_TYPES:
        raise PhoneNotMobile
    # The library drops a trunk zero (+886 0912…) and keeps what is left; the number must stand as typed.
    if phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) != international:
        raise PhoneFormat
    return international


def national_digits(phone: str) -> str:
    """Return an E.164 number without its country code, as people know it: `13800138000`."""
    for country_code in COUNTRY_CODES:
        if phone.startswith(country_code):
            return phone.removeprefix(country_code)
    return phone
