//! What Jsonnet comes to: the language, the library, what is unknown, and that any file ends.

use std::io::Write as _;

use std::collections::HashMap;
use std::time::Instant;

use super::*;
use tojimari_model::value::Kind;

struct Folder(HashMap<String, FileId>);

impl Files for Folder {
    fn load(&self, path: &str) -> Result<FileId, String> {
        self.0.get(path).copied().ok_or_else(|| format!("{path} does not exist"))
    }

    fn list(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

fn flat(value: &Value) -> String {
    match &value.kind {
        Kind::Null => "null".to_owned(),
        Kind::Bool(b) => b.to_string(),
        Kind::Number(digits) => digits.to_string(),
        Kind::String(text) => format!("{text:?}"),
        Kind::List(items, _) => format!("[{}]", items.iter().map(flat).collect::<Vec<_>>().join(", ")),
        Kind::Map(members, rest) => {
            let mut said: Vec<String> =
                members.iter().map(|member| format!("{}: {}", member.name, flat(&member.value))).collect();
            said.extend(rest.as_ref().map(|reason| format!("<{reason}>...")));
            format!("{{{}}}", said.join(", "))
        }
        Kind::Unknown(reason) => format!("<{reason}>"),
        Kind::Choice(choice) => {
            format!("({} ? {} : {})", choice.condition, flat(&choice.then), flat(&choice.otherwise))
        }
    }
}

fn evaluated_with(text: &str, others: &[(&str, &str)]) -> (Value, Vec<Problem>, Sources) {
    let sources = Sources::new();
    let file = sources.add("a/main.jsonnet", text);
    let files = others.iter().map(|(name, text)| ((*name).to_owned(), sources.add(*name, *text))).collect();
    let (value, problems) = evaluate(file, &sources, &Folder(files));
    (value, problems, sources)
}

fn said(text: &str) -> String {
    let (value, problems, _) = evaluated_with(text, &[]);
    assert!(problems.is_empty(), "{text}: {problems:?}");
    flat(&value)
}

#[test]
fn the_language_is_evaluated() {
    let table = [
        ("{a: 1, b: self.a + 1, c: $.b * 2}", "{a: 1, b: 2, c: 4}"),
        ("local x = 1, f(y, z=2) = x + y + z; [f(1), f(1, 5), f(z=1, y=1)]", "[4, 7, 3]"),
        ("{a: 1, b:: 2, c::: 3} + {b: 4, a:: 5}", "{c: 3}"),
        ("{a: {x: 1}} + {a+: {y: 2}}", "{a: {x: 1, y: 2}}"),
        ("{a: [1]} + {a+: [2]}", "{a: [1, 2]}"),
        ("{a: 1, b: self.a} + {a: 2, c: super.a}", "{a: 2, b: 2, c: 1}"),
        ("{local l = self.a, a: 1, b: {c: l, d: $.a}}", "{a: 1, b: {c: 1, d: 1}}"),
        ("({a: 1} { b: 2 }).b", "2"),
        ("[x * y for x in [1, 2, 3] if x > 1 for y in [1, 10]]", "[2, 20, 3, 30]"),
        ("{['k' + x]: x for x in ['a', 'b']}", r#"{ka: "a", kb: "b"}"#),
        ("{[if false then 'a']: 1, [if true then 'b']: 2}", "{b: 2}"),
        ("if 1 < 2 then 'a' else error 'x'", r#""a""#),
        ("[1, 2, 3, 4][1:3]", "[2, 3]"),
        ("'abc'[1] + 'é'", r#""bé""#),
        ("'x' + 1 + true + [1] + null", r#""x1true[1]null""#),
        ("1 / 2 + 3 % 2", "1.5"),
        ("[1 == 1.0, 'a' != 'b', {a: [1]} == {a: [1]}, !true, -(1)]", "[true, true, true, false, -1]"),
        ("'a' in {a:: 1}", "true"),
        ("local f = function(n) if n == 0 then 0 else n + f(n - 1); f(10)", "55"),
        ("assert true; 1", "1"),
        ("{assert false, a: 1}", "{a: 1}"),
        ("local a = {b: error 'never'}; {c: 1}", "{c: 1}"),
        ("{f(x):: x * 2, a: self.f(4)}", "{a: 8}"),
        ("|||\n  two\n  lines\n|||", r#""two\nlines\n""#),
        ("'%s-%d-%03d-%(x)s' % 1", ""),
        ("'%s-%d-%03d%%' % ['a', 5, 7]", r#""a-5-007%""#),
        ("'%(x)s!' % {x: 'y'}", r#""y!""#),
    ];
    for (text, expected) in table.iter().filter(|(_, expected)| !expected.is_empty()) {
        assert_eq!(said(text), *expected, "{text}");
    }
}

#[test]
fn the_library_is_evaluated() {
    let table = [
        ("std.map(function(x) x + 1, [1, 2])", "[2, 3]"),
        ("std.filter(function(x) x > 1, [1, 2])", "[2]"),
        ("std.foldl(function(a, b) a + b, [1, 2], 0)", "3"),
        ("std.foldr(function(a, b) a + b, ['a', 'b'], '')", r#""ab""#),
        ("std.range(1, 3)", "[1, 2, 3]"),
        ("std.join(',', ['a', null, 'b'])", r#""a,b""#),
        ("std.join([0], [[1], [2]])", "[1, 0, 2]"),
        ("std.split('a/b', '/')", r#"["a", "b"]"#),
        ("std.length('abc') + std.length([1]) + std.length({a: 1, b:: 2})", "5"),
        ("std.objectFields({b: 1, a: 2, c:: 3})", r#"["a", "b"]"#),
        ("[std.objectHas({a:: 1}, 'a'), std.objectHasAll({a:: 1}, 'a')]", "[false, true]"),
        ("std.mapWithKey(function(k, v) k + v, {a: 1})", r#"{a: "a1"}"#),
        ("[{name: kv.key, value: kv.value} for kv in std.objectKeysValues({A: 'x'})]", r#"[{name: "A", value: "x"}]"#),
        ("std.mergePatch({a: 1, b: {c: 1}}, {a: null, b: {d: 2}})", "{b: {c: 1, d: 2}}"),
        ("std.prune({a: null, b: [], c: {d: {}}, e: 1})", "{e: 1}"),
        ("std.get({a: 1}, 'b', 'c')", r#""c""#),
        ("std.manifestJsonMinified({a: [1, 'x']})", r#""{\"a\":[1,\"x\"]}""#),
        ("std.toString({a: 1})", r#""{\"a\": 1}""#),
        ("std.parseJson('{\"a\": 1}').a", "1"),
        ("std.flattenArrays([[1], [2, 3]])", "[1, 2, 3]"),
        ("std.strReplace('a-b', '-', '_') + std.asciiUpper('x')", r#""a_bX""#),
        ("std.sort(['b', 'a']) + std.set([2, 1, 2])", r#"["a", "b", 1, 2]"#),
        (
            "[std.startsWith('ab', 'a'), std.member([1, 2], 2), std.isString('x'), std.type(null)]",
            r#"[true, true, true, "null"]"#,
        ),
        ("std.format('%s', 'a') + std.repeat('b', 2)", r#""abb""#),
        ("std.base64('x')", r#""eA==""#),
    ];
    for (text, expected) in table {
        assert_eq!(said(text), expected, "{text}");
    }
}

#[test]
fn what_only_deployment_tells_stays_unknown() {
    let x = "<depends on the external variable X>";
    let table = [
        ("std.extVar('X')", x.to_owned()),
        ("{a: std.extVar('X'), b: 1}", format!("{{a: {x}, b: 1}}")),
        ("local env = std.native('must_env'); env('X')", "<depends on the native function must_env>".into()),
        ("if std.extVar('X') == 'a' then 1 else 2", "(std.extVar('X') == 'a' ? 1 : 2)".into()),
        (
            "if std.extVar('X') == 'a' then 1 else error 'no'",
            "(std.extVar('X') == 'a' ? 1 : <evaluation ends here: no>)".into(),
        ),
        (
            "{a: if std.extVar('X') then {b: 1}}.a + {c: 2}",
            "(std.extVar('X') ? {b: 1, c: 2} : <null and object cannot be added>)".into(),
        ),
        ("(if std.extVar('X') then {b: 1} else {b: 2}).b", "(std.extVar('X') ? 1 : 2)".into()),
        ("std.extVar('X') + {a: 1}", "{a: 1, <depends on the external variable X>...}".into()),
        ("{a: 1, b: 2} + std.extVar('X')", format!("{{a: {x}, b: {x}, {x}...}}")),
        ("true || std.extVar('X')", "true".into()),
        ("std.extVar('X') && false", "false".into()),
        ("[y for y in std.extVar('X')]", x.into()),
        ("std.length([std.extVar('X'), 1])", "2".into()),
        ("std.map(function(y) y, [std.extVar('X'), 1])", format!("[{x}, 1]")),
        ("{[std.extVar('X')]: 1, a: 2}", format!("{{a: 2, {x}...}}")),
    ];
    for (text, expected) in table {
        assert_eq!(said(text), expected, "{text}");
    }
    let (value, ..) = evaluated_with("'app:' + std.extVar('TAG')", &[]);
    let Kind::Unknown(reason) = &value.kind else { panic!("{value:?}") };
    assert_eq!(reason.parts().len(), 2);
}

#[test]
fn files_are_imported_from_beside() {
    let (value, problems, sources) = evaluated_with(
        "(import 'lib/base.libsonnet') + {b: importstr 'x.txt', readonly: true}",
        &[("a/lib/base.libsonnet", "{a: import '../c.jsonnet'}"), ("a/c.jsonnet", "[1]"), ("a/x.txt", "text")],
    );
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(flat(&value), r#"{a: [1], b: "text", readonly: true}"#);
    let readonly = value.get("readonly").expect("readonly");
    assert_eq!(sources.slice(readonly.span), "true");
    assert_eq!(sources.place(value.get("a").expect("a").span).file, "a/lib/base.libsonnet");
}

#[test]
fn what_is_wrong_has_a_place() {
    let table = [
        ("{a: b}", 4, "there is no variable `b`"),
        ("{}.a", 0, "there is no field `a`"),
        ("error 'stop'", 0, "evaluation ends here: stop"),
        ("import 'gone'", 0, "cannot import: a/gone does not exist"),
        ("import 'main.jsonnet'", 0, "cannot import: a/main.jsonnet does not exist"),
        ("local a = a; a", 10, "this depends on itself"),
        ("1 + {}", 0, "number and object cannot be added"),
        ("(function(x) x)()", 0, "the argument `x` is missing"),
        ("assert false; 1", 7, "this assertion fails"),
        ("[1][3]", 0, "there is no item 3"),
        ("function(x) x", 0, "a function cannot be a value of the file"),
        ("{a: 1", 5, "not Jsonnet: `}` is expected here"),
    ];
    for (text, at, message) in table {
        let (_, problems, _) = evaluated_with(text, &[]);
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        assert_eq!((problems[0].span.start, &*problems[0].message), (at, message), "{text}");
    }
}

#[test]
fn any_file_ends() {
    for text in [
        "local f(x) = f(x); f(1)",
        "local f(x) = f(x + 1) + f(x + 2); f(1)",
        "local f(x) = [f(x), f(x)]; f(1)",
        "local a = {b: $ }; a",
        "std.range(0, 1e15)",
        "std.repeat('x', 1e12)",
        "std.makeArray(1e12, function(x) x)",
        "local d(s, n) = if n == 0 then s else d(s + s, n - 1); d('xxxxxxxx', 60)",
        "local d(s, n) = if n == 0 then s else d(s + s, n - 1); d([1], 60)",
        "local d(s, n) = if n == 0 then s else d(s + s, n - 1); d({a+: [1]}, 60)",
        "std.foldl(function(a, b) a + a, std.range(1, 100), 'x')",
        "std.foldl(function(a, b) a + {x+: {y: b}}, std.range(1, 100000), {}).x",
        "[x for x in std.range(1, 1000) for y in std.range(1, 1000) for z in std.range(1, 1000)]",
        "std.foldl(function(a, b) if std.extVar('X') then a else a, std.range(1, 60), 1)",
        "local c(n) = if n == 0 then 1 else (if std.extVar('X') then c(n - 1) else c(n - 1)) + 1; c(40)",
        "std.strReplace(std.repeat('a', 100000), 'a', std.repeat('b', 100000))",
        "{a: self.b, b: self.a}",
    ] {
        let start = Instant::now();
        evaluated_with(text, &[]);
        assert!(start.elapsed().as_secs() < 30, "{text}: {:?}", start.elapsed());
    }
}

/// A value as JSON; none where it is not known.
fn as_json(value: &Value) -> Option<serde_json::Value> {
    Some(match &value.kind {
        Kind::Null => serde_json::Value::Null,
        Kind::Bool(b) => (*b).into(),
        Kind::Number(digits) => digits.parse::<f64>().ok()?.into(),
        Kind::String(text) => (&**text).into(),
        Kind::List(items, None) => serde_json::Value::Array(items.iter().map(as_json).collect::<Option<_>>()?),
        Kind::Map(members, None) => {
            let members = members.iter().map(|member| Some((member.name.to_string(), as_json(&member.value)?)));
            serde_json::Value::Object(members.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// With every number as a float.
fn with_floats(json: serde_json::Value) -> serde_json::Value {
    match json {
        serde_json::Value::Number(number) => number.as_f64().unwrap_or_default().into(),
        serde_json::Value::Array(items) => items.into_iter().map(with_floats).collect(),
        serde_json::Value::Object(members) => {
            members.into_iter().map(|(name, value)| (name, with_floats(value))).collect()
        }
        other => other,
    }
}

#[test]
fn generated_expressions_are_what_jsonnet_makes_of_them() {
    let atoms =
        ["1", "-2", "0.5", "'a'", "'héllo'", "true", "null", "[]", "[1, 2, 3]", "['b', 'a']", "{}", "{a: 1, b:: 2}"];
    let functions = [
        "# == #",
        "# + #",
        "# < #",
        "#[-2:]",
        "#[:-1]",
        "#[1:]",
        "std.length(#)",
        "std.toString(#)",
        "std.sort(#)",
        "std.set(#)",
        "std.setUnion(#, #)",
        "std.setDiff(#, #)",
        "std.reverse(#)",
        "std.get(#, 'b', #, false)",
        "std.get(#, 'a', #)",
        "std.member(#, #)",
        "std.find(#, #)",
        "std.objectFields(#)",
        "std.manifestJson(#)",
        "std.type(#)",
        "std.sum(#)",
        "std.flattenDeepArray(#)",
        "std.isOdd(#)",
        "std.minArray(#)",
        "std.prune(#)",
        "std.mergePatch(#, #)",
        "# > #",
        "!#",
    ];
    let expressions = crate::differential::generated(&atoms, &functions, 400);
    let Some(results) = crate::differential::asked("jsonnet", &expressions) else {
        let _ = writeln!(std::io::stderr(), "skipped: no Python with jsonnet is installed");
        return;
    };
    let mut wrong = Vec::new();
    for (expression, expected) in expressions.iter().zip(&results).filter(|(_, expected)| *expected != "ERR") {
        let expected = with_floats(serde_json::from_str(expected).expect("JSON"));
        let (value, problems, _) = evaluated_with(expression, &[]);
        match as_json(&value).filter(|_| problems.is_empty()) {
            Some(found) if found != expected => {
                wrong.push(format!("{expression}\n  is      {found}\n  jsonnet {expected}"))
            }
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_expression_is_what_jsonnet_makes_of_it() {
    let (mut wrong, mut unknown, mut rows) = (Vec::new(), Vec::new(), 0);
    for line in include_str!("table.tsv").lines().skip(1) {
        let (expression, expected) = line.split_once('\t').expect("two columns");
        let expected = with_floats(serde_json::from_str(expected).expect("JSON"));
        let (value, problems, _) = evaluated_with(expression, &[]);
        rows += 1;
        match as_json(&value).filter(|_| problems.is_empty()) {
            Some(found) if found == expected => {}
            Some(found) => wrong.push(format!("{expression}\n  is      {found}\n  jsonnet {expected}")),
            None => unknown.push(expression),
        }
    }
    let _ = writeln!(
        std::io::stderr(),
        "{} of {rows} agree, {} are unknown: {unknown:#?}",
        rows - wrong.len() - unknown.len(),
        unknown.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(unknown.len() * 3 < rows, "{unknown:#?}");
}

#[test]
fn hashes_are_those_that_their_standards_give_as_examples() {
    let table = [
        ("std.sha1('abc')", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("std.sha256('abc')", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "std.sha512('a')",
            "1f40fc92da241694750979ee6cf582f2d5d7d28e18335de05abc54d0560e0f5302860c652bf08d560252aa5e74210546f369fbbbce8c12cfc7957b2652fe9a75",
        ),
        (
            "std.sha3('abc')",
            "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
        ),
    ];
    for (expression, expected) in table {
        let (value, problems, _) = evaluated_with(expression, &[]);
        assert!(problems.is_empty(), "{expression}");
        assert_eq!(as_json(&value), Some(serde_json::Value::from(expected)), "{expression}");
    }
}
