//! What Jsonnet is read as, and where its parts are.

use proptest::prelude::*;

use super::*;

/// An expression in a notation of its own, every operation in brackets.
fn flat(expr: &Expr) -> String {
    let list = |items: &[Rc<Expr>]| items.iter().map(|item| flat(item)).collect::<Vec<_>>().join(", ");
    match &expr.kind {
        Kind::Null => "null".into(),
        Kind::Bool(b) => b.to_string(),
        Kind::Number(digits) => digits.to_string(),
        Kind::String(text) => format!("{text:?}"),
        Kind::Itself => "self".into(),
        Kind::Outermost => "$".into(),
        Kind::Super(index) => format!("super[{}]", flat(index)),
        Kind::InSuper(name) => format!("({} in super)", flat(name)),
        Kind::Variable(name) => name.to_string(),
        Kind::Array(items) => format!("[{}]", list(items)),
        Kind::ArrayOf(body, clauses) => format!("[{} {}]", flat(body), of(clauses)),
        Kind::Object(object) => {
            let locals = object.locals.iter().map(|bind| format!("local {} = {}", bind.name, flat(&bind.value)));
            let fields = object.fields.iter().map(|field| {
                let name = match &field.name {
                    FieldName::Fixed(name) => name.to_string(),
                    FieldName::Computed(name) => format!("[{}]", flat(name)),
                };
                let sign = match field.visibility {
                    Visibility::Default => ":",
                    Visibility::Hidden => "::",
                    Visibility::Forced => ":::",
                };
                format!("{name}{}{sign} {}", if field.adds { "+" } else { "" }, flat(&field.value))
            });
            format!("{{{}}}", locals.chain(fields).collect::<Vec<_>>().join(", "))
        }
        Kind::ObjectOf { name, value, clauses, .. } => {
            format!("{{[{}]: {} {}}}", flat(name), flat(value), of(clauses))
        }
        Kind::Index(of, index) => format!("{}[{}]", flat(of), flat(index)),
        Kind::Slice(of, parts) => {
            let parts = parts.iter().map(|part| part.as_ref().map(|part| flat(part)).unwrap_or_default());
            format!("{}[{}]", flat(of), parts.collect::<Vec<_>>().join(":"))
        }
        Kind::Call(called, arguments) => {
            let arguments = arguments.iter().map(|argument| match &argument.name {
                Some(name) => format!("{name}={}", flat(&argument.value)),
                None => flat(&argument.value),
            });
            format!("{}({})", flat(called), arguments.collect::<Vec<_>>().join(", "))
        }
        Kind::Binary(operator, left, right) => format!("({} {operator:?} {})", flat(left), flat(right)),
        Kind::Unary(sign, inner) => format!("({sign:?} {})", flat(inner)),
        Kind::If(condition, then, otherwise) => {
            let otherwise = otherwise.as_ref().map(|expr| format!(" else {}", flat(expr))).unwrap_or_default();
            format!("(if {} then {}{otherwise})", flat(condition), flat(then))
        }
        Kind::Function(parameters, body) => {
            let names = parameters.iter().map(|parameter| match &parameter.default {
                Some(default) => format!("{}={}", parameter.name, flat(default)),
                None => parameter.name.to_string(),
            });
            format!("function({}) {}", names.collect::<Vec<_>>().join(", "), flat(body))
        }
        Kind::Local(binds, body) => {
            let binds = binds.iter().map(|bind| format!("{} = {}", bind.name, flat(&bind.value)));
            format!("(local {}; {})", binds.collect::<Vec<_>>().join(", "), flat(body))
        }
        Kind::Assert(condition, body) => format!("(assert {}; {})", flat(condition), flat(body)),
        Kind::Error(inner) => format!("(error {})", flat(inner)),
        Kind::Import(path) => format!("(import {path:?})"),
        Kind::ImportText(path) => format!("(importstr {path:?})"),
    }
}

fn of(clauses: &[Clause]) -> String {
    let clauses = clauses.iter().map(|clause| match clause {
        Clause::For(name, list) => format!("for {name} in {}", flat(list)),
        Clause::If(condition) => format!("if {}", flat(condition)),
    });
    clauses.collect::<Vec<_>>().join(" ")
}

fn parsed(text: &str) -> String {
    match parse(FileId(0), text) {
        Ok(expr) => flat(&expr),
        Err(problem) => panic!("{text}: {problem:?}"),
    }
}

#[test]
fn expressions_are_told_apart() {
    let table = [
        ("{a: 1, 'b': 'x', \"c\": \"y\", [d]: 2,}", r#"{a: 1, b: "x", c: "y", [d]: 2}"#),
        ("{a:: 1, b::: 2, c+: {}, d+:: 3, f(x, y=1): x}", "{a:: 1, b::: 2, c+: {}, d+:: 3, f: function(x, y=1) x}"),
        ("// c\n# c\n/* c */ [1, 2.5e3, -1, !true]", "[1, 2.5e3, (Minus 1), (Not true)]"),
        ("1 + 2 * 3 - 4", "((1 Add (2 Multiply 3)) Subtract 4)"),
        ("a && b || c == d", "((a And b) Or (c Equal d))"),
        ("-a.b + c(1)", r#"((Minus a["b"]) Add c(1))"#),
        ("a { b: 1 }", "(a Add {b: 1})"),
        ("a.b[0].c", r#"a["b"][0]["c"]"#),
        ("a[1:2], ".trim_end_matches(", "), "a[1:2:]"),
        ("a[::2]", "a[::2]"),
        ("f(1, x=2) tailstrict", "f(1, x=2)"),
        ("local a = 1, f(x) = x; a", "(local a = 1, f = function(x) x; a)"),
        ("if a then b else if c then d", "(if a then b else (if c then d))"),
        ("[x + 1 for x in y if x > 2]", "[(x Add 1) for x in y if (x Greater 2)]"),
        ("{local z = 1, [x]: z for x in y}", "{[x]: z for x in y}"),
        ("{local z = 1, assert z == 1 : 'm', a: z}", "{local z = 1, a: z}"),
        ("'a' in super", r#"("a" in super)"#),
        ("super.a + self['b'] + $.c", r#"((super["a"] Add self["b"]) Add $["c"])"#),
        ("assert a : 'x'; b", "(assert a; b)"),
        ("error 'x' + y", r#"(error ("x" Add y))"#),
        ("(import 'a.libsonnet') + { b: importstr 'c' }", r#"((import "a.libsonnet") Add {b: (importstr "c")})"#),
        ("function(a) a", "function(a) a"),
        (r#"'it\'s \u00e9 \ud83d\ude00 \n'"#, r#""it's é 😀 \n""#),
        ("@'a\\b''c'", r#""a\\b'c""#),
        ("|||\n  one\n    two\n\n  three\n|||", r#""one\n  two\n\nthree\n""#),
        ("|||-\n  one\n|||", r#""one""#),
        ("std.extVar('X')", r#"std["extVar"]("X")"#),
        ("a % b", "(a Remainder b)"),
        ("{ a: 1 }.a", r#"{a: 1}["a"]"#),
    ];
    for (text, expected) in table {
        assert_eq!(parsed(text), expected, "{text}");
    }
}

#[test]
fn spans_cover_what_is_written() {
    let text = "local x = 1;\n{\n  'a': x + 2,\n  b: [true],\n}\n";
    let Kind::Local(_, body) = &parse(FileId(0), text).expect("an expression").kind else { panic!() };
    let Kind::Object(object) = &body.kind else { panic!() };
    let at = |span: Span| &text[span.range()];
    assert_eq!((at(object.fields[0].name_span), at(object.fields[0].value.span)), ("'a'", "x + 2"));
    assert_eq!(at(object.fields[1].value.span), "[true]");
    assert_eq!(at(body.span), "{\n  'a': x + 2,\n  b: [true],\n}");
}

#[test]
fn what_is_not_jsonnet_has_a_place() {
    let table = [
        ("", 0),
        ("{a: }", 4),
        ("{a 1}", 3),
        ("[1, 2", 5),
        ("'open", 0),
        ("1 +", 3),
        ("{a: 1} {", 8),
        ("a b", 2),
        ("local x = 1", 11),
        ("/* open", 0),
        ("|||\n x\n", 0),
        ("'\\q'", 1),
        ("if a", 4),
        ("{for x in y}", 1),
    ];
    for (text, at) in table {
        let problem = parse(FileId(0), text).expect_err(text);
        assert_eq!(problem.span.start, at, "{text}: {problem:?}");
    }
}

#[test]
fn hostile_input_ends_soon() {
    for text in [
        "[".repeat(100_000),
        "{a:".repeat(100_000),
        "(".repeat(100_000),
        "-".repeat(100_000),
        "1+".repeat(100_000),
        format!("a{}", ".b".repeat(100_000)),
        format!("a{}", "(1)".repeat(100_000)),
        "if ".repeat(100_000),
        "local a = ".repeat(100_000),
        "function(a) ".repeat(100_000),
        "'".repeat(100_001),
        "/*".repeat(100_000),
        "|||\n ".repeat(50_000),
        "[1,".repeat(100_000),
    ] {
        let start = std::time::Instant::now();
        assert!(parse(FileId(0), &text).is_err(), "{}", &text[..20]);
        assert!(start.elapsed().as_secs() < 20);
    }
    assert!(parse(FileId(0), &format!("[{}]", "1,".repeat(100_000))).is_ok());
}

proptest! {
    #[test]
    fn any_pieces_are_read(pieces in proptest::collection::vec(prop_oneof![
        Just("{"), Just("}"), Just("["), Just("]"), Just("("), Just(")"), Just(","), Just(":"), Just("::"), Just("+:"),
        Just("a"), Just("1"), Just("'x'"), Just("local "), Just("="), Just(";"), Just("if "), Just(" then "),
        Just(" else "), Just(" for "), Just(" in "), Just("super"), Just("."), Just("self"), Just("$"), Just("-"),
        Just("+"), Just("import "), Just("error "), Just("assert "), Just("function"), Just("é"), Just("\n"), Just("|||\n "),
    ], 0..40)) {
        let text = pieces.concat();
        match parse(FileId(0), &text) {
            Ok(expr) => prop_assert!(text.get(expr.span.range()).is_some()),
            Err(problem) => prop_assert!(text.get(problem.span.range()).is_some(), "{problem:?}"),
        }
    }
}
