"""Prints what checkdmarc says of domains as JSON, one object a line: check.py PORT DOMAIN ..."""

import json
import sys

import checkdmarc
import dns.resolver

resolver = dns.resolver.Resolver(configure=False)
resolver.nameservers = ["127.0.0.1"]
resolver.port = int(sys.argv[1])

for domain in sys.argv[2:]:
    result = checkdmarc.check_domains([domain], resolver=resolver, skip_tls=True)
    print(json.dumps(result, default=str))
