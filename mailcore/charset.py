"""Octets into text, whatever a mail claims about its charset (RFC 2045 section 2.2, RFC 2978).

Nothing here raises.  Names are looked up in a fixed table: the codec registry remembers every
unknown name for ever, and it also holds codecs that are no charsets (`unicode_escape`,
`punycode`).
"""

import encodings
import re
from encodings.aliases import aliases

_WITHOUT_ALIAS = ("cp720", "cp737", "cp856", "cp874", "cp875", "cp1006", "koi8_t", "koi8_u")
# Seen in mail, unknown to Python; GB2312 is declared by senders who mean its supersets.
_SEEN_IN_MAIL = {
    "gb2312": "gb18030",
    "iso_8859_6_i": "iso8859_6",
    "iso_8859_8_i": "iso8859_8",
    "unicode_1_1_utf_7": "utf_7",
    "utf8mb4": "utf_8",
    "windows_874": "cp874",
    "x_gbk": "gb18030",
    "x_sjis": "cp932",
}
_NO_CHARSET = frozenset(
    {"base64_codec", "bz2_codec", "hex_codec", "mbcs", "quopri_codec", "rot_13", "uu_codec"}
    | {"zlib_codec"}
)
_CODECS = {
    **{name: name for name in (*_WITHOUT_ALIAS, *aliases.values()) if name not in _NO_CHARSET},
    **{alias: codec for alias, codec in aliases.items() if codec not in _NO_CHARSET},
    **_SEEN_IN_MAIL,
}
_LONGEST_NAME = 64  # characters
_SURROGATES = re.compile("[\ud800-\udfff]")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def codec_name(charset: str) -> str:
    """Return Python's name of a charset, or an empty string when it is not known.

    >>> codec_name("ISO-8859-15"), codec_name("x-unknown")
    ('iso8859_15', '')
    """
    if not charset or len(charset) > _LONGEST_NAME or not charset.isascii():
        return ""
    return _CODECS.get(encodings.normalize_encoding(charset.strip()).lower(), "")


def decode_bytes(data: bytes, charset: str = "") -> str:
    """Return the text of `data`, without lone surrogates; never raises.

    A known charset is used, with U+FFFD for what is malformed.  Octets without a charset, with an
    unknown one, or in US-ASCII are UTF-8 if they can be and Latin-1 otherwise.
    """
    codec = codec_name(charset)
    if codec in ("", "ascii", "utf_8"):
        try:
            return data.decode()
        except UnicodeDecodeError:
            return data.decode("utf-8", "replace") if codec == "utf_8" else data.decode("latin-1")
    try:
        text = data.decode(codec, "replace")
    except (LookupError, ValueError):  # a codec of another platform, or one that cannot replace
        return data.decode("latin-1")
    return _SURROGATES.sub("\ufffd", text)


def one_line(text: str) -> str:
    """Return `text` without control characters and line breaks: each run of them is one space."""
    if text.isprintable():
        return text.strip()
    return _CONTROLS.sub(" ", text).strip()
