//! The JSON of `aws_iam_policy_document`, computed from its statements as the provider does.

use std::sync::Arc;

use tojimari_text::Span;
use tojimari_text::hcl::{Block, Body};

use super::evaluate::Scope;
use super::functions;
use super::json_text;
use super::module::Evaluator;
use super::text::Text;
use super::value::{Entry, V, Val};

impl Evaluator<'_> {
    /// The document as the text that its `json` is.
    pub fn policy_document(&mut self, body: &Body, span: Span, scope: Scope<'_>) -> Val {
        let mut lists = Vec::new();
        for name in ["source_json", "source_policy_documents"] {
            lists.extend(self.statements_of(body, name, span, scope));
        }
        let own = self
            .nested_blocks(body, "statement", scope, &mut |evaluator, block, scope| evaluator.statement(block, scope));
        lists.extend(own);
        for name in ["override_json", "override_policy_documents"] {
            lists.extend(self.statements_of(body, name, span, scope));
        }
        let statements = functions::concat(&lists, span);
        let members = [("Version", Val::text(span, "2012-10-17")), ("Statement", statements)];
        let entries = members.map(|(key, value)| Entry { key: key.into(), key_span: span, value });
        Val::new(span, V::Text(Text::json(Val::map(span, entries.into(), None))))
    }

    /// The statements of other documents. One that a later document overrides by its Sid stays
    /// beside it: more is said to be allowed than is, never less.
    fn statements_of(&mut self, body: &Body, name: &str, span: Span, scope: Scope<'_>) -> Option<Val> {
        let written = &body.attribute(name)?.value;
        let value = self.eval(written, scope);
        let documents = match &value.kind {
            V::List(list) => list.items.clone(),
            _ => vec![value.clone()],
        };
        let mut lists: Vec<Val> = documents
            .iter()
            .map(|document| {
                document.each_leaf(&mut |leaf| {
                    let V::Text(text) = &leaf.kind else { return leaf.clone() };
                    if text.known().is_some_and(|text| text.is_empty()) {
                        return Val::list(span, Vec::new(), None);
                    }
                    match json_text::parse(text, leaf.span) {
                        Ok(document) => document.get("Statement").cloned().unwrap_or_else(|| {
                            let reason = document.reason().unwrap_or_else(|| "has no statements".into());
                            Val::unknown(span, reason)
                        }),
                        Err(wrong) => Val::unknown(span, wrong.message),
                    }
                })
            })
            // One statement may stand without a list.
            .map(|list| {
                list.each_leaf(&mut |leaf| match leaf.kind {
                    V::Map(_) => Val::list(leaf.span, vec![leaf.clone()], None),
                    _ => leaf.clone(),
                })
            })
            .collect();
        if let V::List(list) = &value.kind
            && let Some(reason) = &list.rest
        {
            lists.push(Val::unknown(span, reason.clone()));
        }
        Some(functions::concat(&lists, span))
    }

    fn statement(&mut self, block: &Block, scope: Scope<'_>) -> Val {
        let span = self.span(block.span, scope);
        let mut entries: Vec<Entry> = Vec::new();
        let mut put = |key: &str, value: Val| entries.push(Entry { key: Arc::from(key), key_span: span, value });
        let mut effect = Val::text(span, "Allow");
        for (from, to) in [
            ("sid", "Sid"),
            ("effect", "Effect"),
            ("actions", "Action"),
            ("not_actions", "NotAction"),
            ("resources", "Resource"),
            ("not_resources", "NotResource"),
        ] {
            if let Some(attribute) = block.body.attribute(from) {
                let value = self.eval(&attribute.value, scope);
                match to {
                    "Effect" => effect = value,
                    _ => put(to, value),
                }
            }
        }
        put("Effect", effect);
        for (from, to) in [("principals", "Principal"), ("not_principals", "NotPrincipal")] {
            let found = self.nested_blocks(&block.body, from, scope, &mut |evaluator, block, scope| {
                evaluator.principal(block, scope)
            });
            if let Some(principals) = found {
                put(to, merged(&principals, span));
            }
        }
        let conditions = self.nested_blocks(&block.body, "condition", scope, &mut |evaluator, block, scope| {
            let span = evaluator.span(block.span, scope);
            let mut of = |name: &str| match block.body.attribute(name) {
                Some(attribute) => evaluator.eval(&attribute.value, scope),
                None => Val::null(span),
            };
            let (test, variable, values) = (of("test"), of("variable"), of("values"));
            match (evaluator.known_text(&test), evaluator.known_text(&variable)) {
                (Ok(test), Ok(variable)) => {
                    let inner = Val::map(span, vec![Entry { key: variable, key_span: span, value: values }], None);
                    Val::map(span, vec![Entry { key: test, key_span: span, value: inner }], None)
                }
                (Err(reason), _) | (_, Err(reason)) => Val::map(span, Vec::new(), Some(reason)),
            }
        });
        if let Some(V::List(list)) = conditions.map(|conditions| conditions.kind) {
            // Of two conditions with one test both hold; that there are any is what matters.
            put("Condition", functions::merge(&list.items, span));
        }
        Val::map(span, entries, None)
    }

    /// One block of principals as `{type: identifiers}`, or `*`.
    fn principal(&mut self, block: &Block, scope: Scope<'_>) -> Val {
        let span = self.span(block.span, scope);
        let mut of = |name: &str| match block.body.attribute(name) {
            Some(attribute) => self.eval(&attribute.value, scope),
            None => Val::null(span),
        };
        let (kind, identifiers) = (of("type"), of("identifiers"));
        match self.known_text(&kind) {
            Ok(kind) if &*kind == "*" => Val::text(span, "*"),
            Ok(kind) => Val::map(span, vec![Entry { key: kind, key_span: span, value: identifiers }], None),
            Err(reason) => Val::map(span, Vec::new(), Some(reason)),
        }
    }
}

/// All principals of a statement. With `*` among them it is all there is to say.
fn merged(principals: &Val, span: Span) -> Val {
    let V::List(list) = &principals.kind else { return principals.clone() };
    if let Some(all) = list.items.iter().find(|item| matches!(item.kind, V::Text(_))) {
        return all.clone();
    }
    // Several blocks of one type say more of the same.
    let mut entries: Vec<Entry> = Vec::new();
    let mut rest = list.rest.clone();
    for item in &list.items {
        let Some(map) = item.as_map() else {
            rest = rest.or_else(|| item.reason());
            continue;
        };
        rest = rest.or_else(|| map.rest.clone());
        for entry in &map.entries {
            match entries.iter_mut().find(|other| other.key == entry.key) {
                Some(other) => other.value = functions::concat(&[other.value.clone(), entry.value.clone()], span),
                None => entries.push(entry.clone()),
            }
        }
    }
    Val::map(span, entries, rest)
}
