"""Calls that compute for long, with what they are given.

Sources: the library reference of CPython 3.11-3.14; the installed packages bcrypt 5.0, argon2-cffi 25.1, pandas 3.1,
pillow 13.0, cryptography 50.0, pycryptodome 4.4.
"""

from __future__ import annotations

from .entry import Blocking, each

_COMPUTING = Blocking("AIO113")
_HASHER = "argon2.PasswordHasher"

CALLS: dict[str, Blocking] = {
    **each("hashlib", "pbkdf2_hmac scrypt", _COMPUTING),
    "crypt.crypt": Blocking("AIO113", only="unix <3.13"),
    **each(("gzip", "bz2", "lzma", "zlib"), "compress decompress", _COMPUTING),
    **each("bcrypt", "checkpw hashpw kdf", _COMPUTING),
    **each(_HASHER, "hash verify", _COMPUTING),
    **each("argon2", "hash_password hash_password_raw verify_password", _COMPUTING),
    "cryptography.hazmat.primitives.asymmetric.rsa.generate_private_key": _COMPUTING,
    "Crypto.PublicKey.RSA.generate": _COMPUTING,
    **each(
        "pandas",
        "read_csv read_excel read_feather read_fwf read_hdf read_html read_json read_orc read_parquet "
        "read_pickle read_sas read_spss read_sql read_sql_query read_sql_table read_stata read_table read_xml",
        _COMPUTING,
    ),
    **each(
        "pandas.DataFrame",
        "to_csv to_excel to_feather to_hdf to_html to_json to_orc to_parquet to_pickle to_sql to_stata to_xml",
        _COMPUTING,
    ),
    **each("PIL.Image.Image", "filter quantize resize rotate save thumbnail transform", _COMPUTING),
}

RETURNS: dict[str, str] = {
    "PIL.Image.open": "PIL.Image.Image",
    "PIL.Image.new": "PIL.Image.Image",
    "PIL.Image.frombytes": "PIL.Image.Image",
    **{
        f"PIL.Image.Image.{name}": "PIL.Image.Image"
        for name in ("convert", "copy", "crop", "filter", "quantize", "resize", "rotate", "transform", "transpose")
    },
    **{
        f"pandas.{name}": "pandas.DataFrame"
        for name in ("read_csv", "read_excel", "read_feather", "read_parquet", "read_sql", "read_sql_query")
    },
}
