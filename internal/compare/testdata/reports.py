# Prints what parsedmarc reads from each file: one line of JSON with its sums, or with its error.
import json
import logging
import sys

import parsedmarc

logging.disable(logging.CRITICAL)
for path in sys.argv[1:]:
    try:
        parsed = parsedmarc.parse_report_file(path, offline=True, always_use_local_files=True)
        report = parsed["report"]
        rows = [
            [
                r["source"]["ip_address"],
                r["count"],
                r["policy_evaluated"]["disposition"],
                r["policy_evaluated"]["dkim"],
                r["policy_evaluated"]["spf"],
                r["identifiers"]["header_from"],
            ]
            for r in report["records"]
        ]
        print(json.dumps({
            "id": report["report_metadata"]["report_id"],
            "begin": report["report_metadata"]["begin_date"],
            "end": report["report_metadata"]["end_date"],
            "domain": report["policy_published"]["domain"],
            "p": report["policy_published"]["p"],
            "rows": [" ".join(str(v) for v in row) for row in rows],
        }))
    except Exception as e:
        print(json.dumps({"error": type(e).__name__ + ": " + str(e)}))
