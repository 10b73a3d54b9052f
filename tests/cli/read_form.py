"""read_form.py junit|csv FILE [QUESTION...]: read a report with parsers that this project did not write.

junit  numbers of the suite, added up again, and "outcome status"; with CLASS NAME: what a case came to, and its message.
csv    with KIND: "name verdict value text" of each fact of that kind, tabs between.
Exit 1 with the fault when the report is not sound.
"""
import csv
import sys
import xml.etree.ElementTree as ElementTree


def result_of(case):
    return next((kind for kind in ("failure", "error", "skipped") if case.find(kind) is not None), "passed")


def junit(path, question):
    suites = ElementTree.parse(path).getroot().findall("testsuite")
    for suite in suites:
        cases = suite.findall("testcase")
        results = [result_of(case) for case in cases]
        properties = {p.get("name"): p.get("value") for p in suite.iter("property")}
        counted = [len(cases), results.count("failure"), results.count("error"), results.count("skipped")]
        told = [int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped")]
        if counted != told:
            sys.exit(f"the suite says {told}, and has {counted}")
        if (counted[1] + counted[2] > 0) != (properties["exit_status"] != "0"):
            sys.exit(f"status {properties['exit_status']} with {counted}")
        if not question:
            print(*told, properties["outcome"], properties["exit_status"])
        for case in cases:
            if question == [case.get("classname"), case.get("name")]:
                found = case.find(result_of(case))
                print(result_of(case), "" if found is None else found.get("message"))


def facts(path, question):
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, strict=True))
    with open(path, "rb") as file:
        lines = file.read().split(b"\r\n")
    if lines[-1] != b"" or len(lines) - 1 != len(rows):
        sys.exit(f"{len(rows)} records on {len(lines) - 1} lines")
    for number, row in enumerate(rows):
        if len(row) != len(rows[0]):
            sys.exit(f"record {number} has {len(row)} cells")
        for cell in row:
            if cell[:1] in tuple("=+-@\t\r") and cell:
                sys.exit(f"record {number} has a formula: {cell}")
    for row in rows[1:]:
        fact = dict(zip(rows[0], row))
        if question and fact["kind"] == question[0]:
            print(fact["name"], fact["verdict"], fact["value"], fact["text"], sep="\t")
    if not question:
        print(len(rows) - 1)


{"junit": junit, "csv": facts}[sys.argv[1]](sys.argv[2], sys.argv[3:])
