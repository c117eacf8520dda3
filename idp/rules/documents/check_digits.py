"""The four check characters, computed from the part that stands before them.

Each function takes a well-formed body (upper case, right alphabet and length) and returns the one character that
belongs behind it. The arithmetic is ours; python-stdnum serves in the tests as a second opinion only (DESIGN 7).
"""

_MOD_11_2_DIGITS = "0123456789X"
_GB_11714_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_GB_11714_DIGITS = "0123456789X"
_ICAO_WEIGHTS = (7, 3, 1)

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_VALUES = {char: value for value, char in enumerate(USCC_ALPHABET)}


def mod_11_2(body: str) -> str:
    """Return the check character of 17 digits (GB 11643, ISO 7064 MOD 11-2): 0–9 or X."""
    value = 0
    for digit in body:
        value = (value + int(digit)) * 2 % 11
    return _MOD_11_2_DIGITS[(1 - value) % 11]


def gb_32100(body: str) -> str:
    """Return the check character of the first 17 characters of a USCC (GB 32100): weights 3^i modulo 31."""
    total = sum(_USCC_VALUES[char] * pow(3, place, 31) for place, char in enumerate(body))
    return USCC_ALPHABET[-total % 31]


def gb_11714(body: str) -> str:
    """Return the check character of the 8 characters of an organisation code (GB 11714): 0–9 or X.

    Letters count A = 10 … Z = 35, also inside a USCC, whose own alphabet skips five letters.
    """
    total = sum(int(char, 36) * weight for char, weight in zip(body, _GB_11714_WEIGHTS, strict=True))
    return _GB_11714_DIGITS[-total % 11]


def icao_9303(body: str) -> str:
    """Return the check digit of letters and digits (ICAO 9303-3 §4.9): weights 7, 3, 1 in turn, modulo 10."""
    total = sum(int(char, 36) * _ICAO_WEIGHTS[place % 3] for place, char in enumerate(body))
    return str(total % 10)
