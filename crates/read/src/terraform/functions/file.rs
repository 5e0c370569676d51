//! Functions that read files and templates, and those of paths.

use std::sync::Arc;

use tojimari_text::hcl::{self, Template};
use tojimari_text::{FileId, Span};

use super::{Answer, Call};
use crate::terraform::evaluate::{Bound, Scope};
use crate::terraform::module::{Evaluator, clean, join};
use crate::terraform::text::{MAX_TEXT, Text};
use crate::terraform::types;
use crate::terraform::value::{V, Val};

impl Evaluator<'_> {
    pub(super) fn file_function(&mut self, call: &Call<'_>, scope: Scope<'_>) -> Answer {
        let span = call.span;
        match call.name {
            "file" => {
                let file = self.open_file(call, &call.text(0)?)?;
                let source = self.sources.get(file);
                if source.text.len() > MAX_TEXT || !self.spend_bytes(source.text.len()) {
                    return Err(call.unknown(Some("is a text that is too long to be evaluated".into())));
                }
                let at = Span::new(file, 0, source.text.len());
                Ok(Val::new(span, V::Text(Text::verbatim(Arc::from(&*source.text), at))))
            }
            "templatefile" => {
                let file = self.open_file(call, &call.text(0)?)?;
                let template = self.template_of(file).map_err(|reason| Val::error(span, reason))?;
                Ok(self.rendered(&template, call.argument(1)?, span, scope))
            }
            "templatestring" => {
                let text = call.text(0)?;
                match hcl::read_template(span.file, &text) {
                    Ok(template) => Ok(self.rendered(&template, call.argument(1)?, span, scope)),
                    Err(problem) => Err(call.wrong(&problem.message)),
                }
            }
            "fileexists" => {
                let path = self.path_in_root(&call.text(0)?);
                Ok(match self.load(&path) {
                    Ok(_) => Val::bool(span, true),
                    Err(reason) if reason.ends_with("does not exist") => Val::bool(span, false),
                    Err(reason) => Val::unknown(span, reason),
                })
            }
            "fileset" => self.fileset(call),
            // The folder that Terraform runs in is as good a place to begin from as any.
            "abspath" | "pathexpand" => {
                let path = call.text(0)?;
                match (call.name, path.starts_with('/')) {
                    ("abspath", true) => match clean(&path) {
                        path if path.starts_with("/..") => Err(call.unknown(Some("is a path above the root".into()))),
                        path => call.give_text(path),
                    },
                    // Where Terraform runs is no matter of the configuration.
                    _ => Ok(call.argument(0)?.clone()),
                }
            }
            "dirname" => {
                let path = call.text(0)?;
                call.give_text(match path.trim_end_matches('/').rsplit_once('/') {
                    Some(("", _)) => "/",
                    Some((folder, _)) => folder,
                    None => ".",
                })
            }
            _ => {
                let path = call.text(0)?;
                match path.trim_end_matches('/').rsplit('/').next().unwrap_or_default() {
                    // Paths of Terraform are told from the folder that it runs in, whatever that is called.
                    "." | ".." => Ok(Val::unknown(call.span, "depends on what the folder is called")),
                    last => call.give_text(last),
                }
            }
        }
    }

    /// A path that an expression names, from the current folder: Terraform runs in the root's.
    fn path_in_root(&self, path: &str) -> String {
        clean(&join(&self.modules[0].config.folder, path))
    }

    fn open_file(&mut self, call: &Call<'_>, path: &str) -> Result<FileId, Val> {
        let path = self.path_in_root(path);
        self.load(&path).map_err(|reason| match reason.ends_with("does not exist") {
            // `try(file(…), …)` goes on without it.
            true => Val::error(call.span, format!("depends on a file: {reason}")),
            false => Val::unknown(call.span, format!("depends on a file: {reason}")),
        })
    }

    /// A file read as a template, once.
    fn template_of(&mut self, file: FileId) -> Result<Arc<Template>, Arc<str>> {
        if let Some(template) = self.templates.get(&file) {
            return template.clone();
        }
        let source = self.sources.get(file);
        let template = match hcl::read_template(file, &source.text) {
            Ok(template) => Ok(Arc::new(template)),
            Err(problem) => {
                let reason = format!("depends on {}, which is not a template: {}", source.name, problem.message);
                self.problem_once(problem.span, &format!("not a template: {}", problem.message));
                Err(Arc::from(reason))
            }
        };
        self.templates.insert(file, template.clone());
        template
    }

    fn rendered(&mut self, template: &Template, vars: &Val, span: Span, scope: Scope<'_>) -> Val {
        if let V::Unknown(_) | V::Error(_) = &vars.kind {
            return vars.at(span);
        }
        let bound = Bound { name: "", value: vars.clone(), label: None, up: None };
        let scope = Scope { module: scope.module, bound: Some(&bound) };
        let text = self.parts(&template.parts, span, scope);
        types::to_text(&text)
    }

    /// The `rendered` of a `template_file` data source.
    pub fn template_file(&mut self, body: &hcl::Body, span: Span, scope: Scope<'_>) -> Val {
        let Some(template) = body.attribute("template") else { return Val::unknown(span, "depends on a template") };
        let vars = match body.attribute("vars") {
            Some(vars) => self.eval(&vars.value, scope),
            None => Val::map(span, Vec::new(), None),
        };
        let text = self.eval(&template.value, scope);
        text.each_leaf(&mut |leaf| {
            let V::Text(text) = &leaf.kind else { return leaf.at(span) };
            // A file as a whole keeps its places.
            let whole = match text.pieces(leaf.span).as_slice() {
                [crate::terraform::text::Piece::Known(known, at, true)] => {
                    let source = (super::super::known::text(at.file).is_none()).then(|| self.sources.get(at.file));
                    source.filter(|source| source.text.len() == known.len()).map(|_| at.file)
                }
                _ => None,
            };
            let template = match (whole, text.known()) {
                (Some(file), _) => self.template_of(file),
                (None, Some(known)) => hcl::read_template(span.file, &known)
                    .map(Arc::new)
                    .map_err(|problem| format!("is not a template: {}", problem.message).into()),
                (None, None) => Err(text.reason().map_or("is not known".into(), |reason| reason.to_string().into())),
            };
            match template {
                Ok(template) => self.rendered(&template, &vars, span, scope),
                Err(reason) => Val::unknown(span, reason),
            }
        })
    }

    /// Files below a folder by a pattern. Only the last part of the pattern may have wildcards.
    fn fileset(&mut self, call: &Call<'_>) -> Answer {
        let (folder, pattern) = (call.text(0)?, call.text(1)?);
        let (below, last) = pattern.rsplit_once('/').unwrap_or(("", &pattern));
        if below.contains(['*', '?', '[', '{']) || last.contains("**") || last.matches('{').count() > 3 {
            return Err(call.unknown(Some("depends on fileset()".into())));
        }
        let names = self.files.list(&self.path_in_root(&join(&folder, below)));
        let found = names.into_iter().filter(|name| matches_pattern(last, name)).map(|name| {
            let path = if below.is_empty() { name } else { format!("{below}/{name}") };
            Val::text(call.span, path)
        });
        Ok(types::to_set(&Val::list(call.span, found.collect(), None)))
    }
}

/// A name by a pattern of `*`, `?` and `{a,b}`.
fn matches_pattern(pattern: &str, name: &str) -> bool {
    if let Some((before, rest)) = pattern.split_once('{')
        && let Some((ways, after)) = rest.split_once('}')
    {
        return ways.split(',').any(|way| matches_pattern(&format!("{before}{way}{after}"), name));
    }
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    p = at + 1;
                    n = from + 1;
                    star = Some((at, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}
