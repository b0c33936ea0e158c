"""The ways in which programs in Python print a text. Input: a JSON list of texts. Output: for each a list of [name, text]."""

import base64
import binascii
import html
import json
import shlex
import sys
import urllib.parse
from xml.sax import saxutils


def encode(value):
    data = value.encode()
    return [
        ["python repr", repr(value)],
        ["python ascii", ascii(value)],
        ["python repr of bytes", repr(data)],
        ["python unicode_escape", value.encode("unicode_escape").decode()],
        ["python json", json.dumps({"v": value})[6:-1]],
        ["python json, not ascii", json.dumps({"v": value}, ensure_ascii=False)[6:-1]],
        ["python quote", urllib.parse.quote(value)],
        ["python quote, nothing safe", urllib.parse.quote(value, safe="")],
        ["python quote_plus", urllib.parse.quote_plus(value)],
        ["python html.escape", html.escape(value)],
        ["python html.escape, no quotes", html.escape(value, quote=False)],
        ["python xml attribute", saxutils.quoteattr(value)],
        ["python xml ascii", value.encode("ascii", "xmlcharrefreplace").decode()],
        ["python shlex", shlex.quote(value)],
        ["python base64", base64.b64encode(data).decode()],
        ["python base64 for URLs", base64.urlsafe_b64encode(data).decode()],
        ["python base64 in lines", base64.encodebytes(data).decode()],
        ["python basic auth", base64.b64encode(b"user:" + data).decode()],
        ["python hex", binascii.hexlify(data).decode()],
        ["python hex, separated", data.hex(":")],
        ["python list of bytes", str(list(data))],
    ]


json.dump([encode(value) for value in json.load(sys.stdin)], sys.stdout)
