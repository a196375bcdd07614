# Prints the addresses that Python's email package shows for From fields: one field a
# line on standard input and one line of addresses for each on standard output, both in
# base64, addresses separated by NUL. The argument is the policy: compat32 or default.
import base64
import email
import email.policy
import email.utils
import sys


def compat32(body):
    value = body.decode("utf-8", "replace")
    return [address for _, address in email.utils.getaddresses([value]) + [email.utils.parseaddr(value)]]


def default(body):
    message = email.message_from_bytes(b"From: " + body + b"\r\n\r\n", policy=email.policy.default)
    return [address.addr_spec for address in message["From"].addresses]


read = {"compat32": compat32, "default": default}[sys.argv[1]]
for line in sys.stdin:
    try:
        shown = read(base64.b64decode(line))
    except Exception:  # a reader that fails shows nothing
        shown = []
    text = "\0".join(shown).encode("utf-8", "surrogateescape")
    print(base64.b64encode(text).decode(), flush=False)
