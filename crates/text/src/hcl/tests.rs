//! What is read of HCL, and where it says that each thing stands.

use super::*;
use crate::source::Sources;

fn parsed(text: &str) -> (Body, Vec<String>) {
    let sources = Sources::new();
    let file = sources.add("main.tf", text);
    let (body, problems) = read(file, text);
    let said = problems
        .iter()
        .map(|problem| {
            let place = sources.place(problem.span);
            format!("{}:{}: {}", place.line, place.column, problem.message)
        })
        .collect();
    (body, said)
}

/// An expression written out with every operand in brackets, to show how it was read.
fn shape(expression: &Expression) -> String {
    fn list(items: &[Expression]) -> String {
        items.iter().map(shape).collect::<Vec<_>>().join(" ")
    }
    fn steps(all: &[Step]) -> String {
        all.iter()
            .map(|step| match step {
                Step::Attribute(name) => format!(".{}", name.text),
                Step::Index(index) => format!("[{}]", shape(index)),
                Step::Splat(_, each) => format!("*<{}>", steps(each)),
            })
            .collect()
    }
    fn parts(all: &[Part]) -> String {
        all.iter()
            .map(|part| match part {
                Part::Literal(text, _) => format!("{text:?}"),
                Part::Interpolation(inner) => format!("${{{}}}", shape(inner)),
                Part::If(part) => {
                    let (then, otherwise) = (parts(&part.then), parts(&part.otherwise));
                    format!("if {} <{then}> else <{otherwise}>", shape(&part.condition))
                }
                Part::For(part) => format!("for {} <{}>", shape(&part.collection), parts(&part.body)),
            })
            .collect::<Vec<_>>()
            .join(" ")
    }
    match &expression.kind {
        ExpressionKind::Null => "null".to_owned(),
        ExpressionKind::Bool(b) => b.to_string(),
        ExpressionKind::Number(digits) => digits.to_string(),
        ExpressionKind::Template(template) => format!("t({})", parts(&template.parts)),
        ExpressionKind::List(items) => format!("[{}]", list(items)),
        ExpressionKind::Object(items) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| match &item.key {
                    Key::Name(name) => format!("{}={}", name.text, shape(&item.value)),
                    Key::Computed(key) => format!("({})={}", shape(key), shape(&item.value)),
                })
                .collect();
            format!("{{{}}}", items.join(" "))
        }
        ExpressionKind::Variable(name) => name.to_string(),
        ExpressionKind::Traversal(base, all) => format!("{}{}", shape(base), steps(all)),
        ExpressionKind::Call(call) => {
            format!("{}({}{})", call.name.text, list(&call.arguments), if call.spread { "..." } else { "" })
        }
        ExpressionKind::For(of) => format!(
            "for({:?} {} in {}: {:?} {} {} {:?})",
            of.key_name.as_ref().map(|name| &*name.text),
            of.value_name.text,
            shape(&of.collection),
            of.key.as_ref().map(shape),
            shape(&of.value),
            of.grouped,
            of.condition.as_ref().map(shape)
        ),
        ExpressionKind::Conditional(of) => {
            format!("if({} {} {})", shape(&of.condition), shape(&of.then), shape(&of.otherwise))
        }
        ExpressionKind::Unary(operator, operand) => format!("{operator:?}({})", shape(operand)),
        ExpressionKind::Binary(operator, operands) => format!("{operator:?}({})", list(&**operands)),
        ExpressionKind::Parentheses(inner) => format!("({})", shape(inner)),
    }
}

fn shape_of(text: &str) -> String {
    let text = format!("x = {text}\n");
    let (body, problems) = parsed(&text);
    assert!(problems.is_empty(), "{text}: {problems:?}");
    assert_eq!(body.attributes.len(), 1, "{text}");
    shape(&body.attributes[0].value)
}

#[test]
fn expressions_are_read_as_the_specification_says() {
    for (text, expected) in [
        ("1 + 2 * 3 - 4", "Subtract(Add(1 Multiply(2 3)) 4)"),
        ("!var.a && var.b || c == d", "Or(And(Not(var.a) var.b) Equal(c d))"),
        ("a ? b : c ? d : e", "if(a b if(c d e))"),
        ("-1.5e+3", "Minus(1.5e+3)"),
        ("(a)", "(a)"),
        ("a.b[0].c", "a.b[0].c"),
        ("a.0.b", "a[0].b"),
        ("a[*].b[0]", "a*<.b[0]>"),
        ("a.*.b[0]", "a*<.b>[0]"),
        ("a[\"k\"]", "a[t(\"k\")]"),
        ("f(a, b...)", "f(a b...)"),
        ("f(\n  a,\n  b, # why\n)", "f(a b)"),
        ("provider::aws::arn_parse(a)", "provider::aws::arn_parse(a)"),
        ("[1, 2,\n 3,]", "[1 2 3]"),
        (
            "{ a = 1, \"b\" : 2\n (c) = 3\n \"${d}\" = 4 }",
            "{a=1 b=2 (c)=3 (t(${d}))=4}".replace("(c)", "((c))").as_str(),
        ),
        ("{ a = 1, a = 2 }", "{a=1 a=2}"),
        ("{ for = 1 }", "{for=1}"),
        ("[for v in a : v if v != null]", "for(None v in a: None v false Some(\"NotEqual(v null)\"))"),
        ("{ for k, v in a : k => v... }", "for(Some(\"k\") v in a: Some(\"k\") v true None)"),
        ("{\n  for k, v in a :\n  k => v\n}", "for(Some(\"k\") v in a: Some(\"k\") v false None)"),
        ("\"a${b}c\"", "t(\"a\" ${b} \"c\")"),
        ("\"$${b} %%{c} \\\"\\n\\u00e9\"", "t(\"${\" \"b} \" \"%{\" \"c} \" \"\\\"\" \"\\n\" \"é\")"),
        ("\"${a}%{ if b }c%{ else }d%{ endif }\"", "t(${a} if b <\"c\"> else <\"d\">)"),
        ("\"%{ for x in a ~}  ${x}, %{~ endfor }\"", "t(for a <${x} \",\">)"),
        ("\"${\"${a}\"}\"", "t(${t(${a})})"),
        ("<<EOT\n a ${b}\n\"q\" \\n\nEOT", "t(\" a \" ${b} \"\\n\\\"q\\\" \\\\n\\n\")"),
        ("<<-EOT\n    a\n      b\n    EOT", "t(\"a\\n\" \"  b\\n\")"),
        ("f(<<-EOT\n  a\n  EOT\n)", "f(t(\"a\\n\"))"),
        ("a == null ?\n  b :\n  c", "if(Equal(a null) b c)"),
        ("(a\n  && b\n)", "(And(a b))"),
        ("a %  2", "Remainder(a 2)"),
        ("data.a.b.c", "data.a.b.c"),
        ("{}", "{}"),
        ("[]", "[]"),
    ] {
        assert_eq!(shape_of(text), expected, "{text}");
    }
}

#[test]
fn spans_cover_what_is_written() {
    let text =
        "\u{feff}resource \"aws_ecs_service\" \"é\" {\r\n  a = \"x${ var.y }\" # why\r\n  b {\n    c = [1]\n  }\n}\n";
    let (body, problems) = parsed(text);
    assert!(problems.is_empty(), "{problems:?}");
    let block = &body.blocks[0];
    let cut = |span: Span| &text[span.range()];
    assert!(cut(block.span).starts_with("resource") && cut(block.span).ends_with("\n}"));
    assert_eq!(cut(block.labels[1].span), "\"é\"");
    let a = block.body.attribute("a").expect("a");
    assert_eq!((cut(a.name.span), cut(a.value.span)), ("a", "\"x${ var.y }\""));
    let ExpressionKind::Template(template) = &a.value.kind else { panic!("a template") };
    let [Part::Literal(_, literal), Part::Interpolation(inner)] = template.parts.as_slice() else {
        panic!("two parts")
    };
    assert_eq!((cut(*literal), cut(inner.span)), ("x", "var.y"));
    let c = block.body.blocks("b").next().expect("b").body.attribute("c").expect("c");
    assert_eq!(cut(c.value.span), "[1]");
}

#[test]
fn heredoc_text_knows_where_each_line_stands() {
    let text = "a = <<-EOT\r\n    {\r\n      \"b\": ${c}\r\n    }\r\n    EOT\r\n";
    let (body, problems) = parsed(text);
    assert!(problems.is_empty(), "{problems:?}");
    let ExpressionKind::Template(template) = &body.attributes[0].value.kind else { panic!("a template") };
    let mut whole = String::new();
    for part in &template.parts {
        match part {
            Part::Literal(literal, span) => {
                assert_eq!(&text[span.range()], &**literal);
                whole.push_str(literal);
            }
            _ => whole.push('?'),
        }
    }
    assert_eq!(whole, "{\r\n  \"b\": ?\r\n}\r\n");
}

#[test]
fn a_bad_block_hides_no_other() {
    let text = "locals {\n  a = \n}\nvariable \"x\" { default = 1 }\nresource \"a\" \"b\" {\n  c = [1, 2\n  d = 3\n}\n\noutput \"o\" {\n  value = 1\n}\n";
    let (body, problems) = parsed(text);
    let kinds: Vec<&str> = body.blocks.iter().map(|block| &*block.kind.text).collect();
    assert_eq!(kinds, ["variable", "output"]);
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].starts_with("2:7: expected a value"), "{problems:?}");
    assert!(problems[1].starts_with("7:3: expected `,` or `]`"), "{problems:?}");
}

#[test]
fn what_is_not_hcl_has_a_place() {
    for (text, expected) in [
        ("a", "1:2: expected `=` or `{`, found the end of the file"),
        ("a = \"b\n\"", "1:7: the string is not closed in its line"),
        ("a = \"b", "1:5: the string is not closed"),
        ("a = <<EOT\nb\n", "1:5: the heredoc is not closed: no line holds `EOT` alone"),
        ("a = \"\\q\"", "1:6: a backslash must be followed by"),
        ("a = \"\\é\"", "1:6: a backslash must be followed by"),
        ("a = \"\\u+123\"", "1:6: a backslash must be followed by"),
        ("a = 1 2", "1:7: expected the end of the line, found `2`"),
        ("a \"${b}\" {\n}", "1:3: a label cannot be computed"),
        ("a = \"%{ if b }c\"", "1:6: no `%{ endif }` closes this directive"),
        ("a = \"%{ endif }\"", "1:6: this directive closes nothing"),
        ("a = 1\na = 2", "2:1: `a` is set a second time (the first is in line 1)"),
        ("a = b.", "1:7: expected a name, found the end of the file"),
        ("a {", "1:4: expected `}`, found the end of the file"),
        ("{\"a\": 1}", "1:1: expected an attribute or a block, found `{`"),
        ("\0", "1:1: expected an attribute or a block, found U+0000"),
    ] {
        let (_, problems) = parsed(text);
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        assert!(problems[0].starts_with(expected), "{text}: {problems:?}");
    }
}

#[test]
fn deep_nesting_is_a_problem_and_no_overflow() {
    for (open, count) in [("[", 1_000_000), ("(", 1_000_000), ("{a=", 300_000), ("!", 1_000_000), ("-", 1_000_000)] {
        let (_, problems) = parsed(&format!("a = {}", open.repeat(count)));
        assert!(problems[0].contains("nested deeper"), "{open}: {problems:?}");
    }
    for (text, said) in [
        (format!("a = 1{}", " + 1".repeat(1_000_000)), "operators in one expression"),
        (format!("a = {}", "b ? c : ".repeat(500_000)), "nested deeper"),
        (format!("a = {}", "\"${".repeat(500_000)), "nested deeper"),
        (format!("a = \"{}", "%{ if a }".repeat(300_000)), "nested deeper"),
        ("a {\n".repeat(300_000), "nested deeper"),
        (format!("a = b{}", "[*]".repeat(300_000)), "nested deeper"),
    ] {
        let (_, problems) = parsed(&text);
        assert!(problems[0].contains(said), "{}: {problems:?}", &text[..20]);
    }
    let (body, problems) = parsed(&format!("a = b{}", ".c".repeat(300_000)));
    assert!(problems.is_empty());
    drop(body);
}

#[test]
fn the_json_syntax_is_read_with_its_templates() {
    let text = r#"{"a": "x-${var.b}", "c": ["\"${d}\""], "//": "a comment"}"#;
    let sources = Sources::new();
    let file = sources.add("main.tf.json", text);
    let (node, _) = crate::json::parse(file, text);
    let mut problems = Vec::new();
    let expression = json::expression(&node.expect("a tree"), text, &mut problems);
    assert!(problems.is_empty());
    assert_eq!(shape(&expression), r#"{a=t("x-" ${var.b}) c=[t("\"" ${d} "\"")]}"#);
    let ExpressionKind::Object(items) = &expression.kind else { panic!("an object") };
    let ExpressionKind::Template(template) = &items[0].value.kind else { panic!("a template") };
    let Part::Interpolation(inner) = &template.parts[1] else { panic!("a hole") };
    assert_eq!(&text[inner.span.range()], "var.b");
}

proptest::proptest! {
    #[test]
    fn any_text_ends(text in "[a-z{}()\\[\\]\"$%~<\\-=.,:?!&|*#/\\\\ \n0-9é]{0,200}") {
        let (_, problems) = read(crate::FileId(0), &text);
        proptest::prop_assert!(problems.len() <= 40);
        let problems = problems.into_iter().chain(read_template(crate::FileId(0), &text).err());
        for problem in problems {
            proptest::prop_assert!(text.get(problem.span.range()).is_some(), "{problem:?}");
        }
    }
}
