//! The functions of Terraform's language: what each makes of values that are known, and what is
//! left of those that are not. Source of the meanings: Terraform's documentation of each.

mod collection;
mod digest;
mod encode;
mod file;
mod network;
mod string;
mod time;

use std::sync::Arc;

use tojimari_text::Span;

use super::decimal::Big;
use super::evaluate::Scope;
use super::module::Evaluator;
use super::types;
use super::value::{List, Map, Number, V, Val};
use tojimari_model::value::Reason;

pub use collection::{concat, either, merge};
pub use encode::from_node;

/// What a function is called with, one value without choices for each argument.
struct Call<'c> {
    name: &'c str,
    arguments: &'c [Val],
    span: Span,
}

/// The value to return instead is an error or unknown.
type Answer = Result<Val, Val>;

impl Evaluator<'_> {
    /// Calls a function.
    pub fn function(&mut self, name: &str, arguments: Vec<Val>, span: Span, scope: Scope<'_>) -> Val {
        if let Some(error) = arguments.iter().find(|argument| matches!(argument.kind, V::Error(_))) {
            return error.clone();
        }
        let work = arguments.iter().map(|argument| u64::from(argument.size())).sum();
        if !self.spend(work) {
            return Val::unknown(span, "takes too many steps to evaluate");
        }
        match name {
            // What these make of a choice is less than one choice of the whole.
            "merge" => return collection::merge(&arguments, span),
            "concat" => return collection::concat(&arguments, span),
            "flatten" => return collection::flatten(&arguments, span),
            "jsonencode" => return encode::jsonencode(&arguments, span),
            "sensitive" | "nonsensitive" | "ephemeralasnull" if !arguments.is_empty() => return arguments[0].clone(),
            _ => {}
        }
        self.lifted(&arguments, span, &mut |evaluator, arguments| {
            let call = Call { name, arguments, span };
            match evaluator.dispatch(&call, scope) {
                Ok(value) | Err(value) => value,
            }
        })
    }

    fn dispatch(&mut self, call: &Call<'_>, scope: Scope<'_>) -> Answer {
        // An argument may be an error or absent in one of the ways that conditions fall.
        if let Some(error) = call.arguments.iter().find(|argument| matches!(argument.kind, V::Error(_))) {
            return Err(error.clone());
        }
        let span = call.span;
        match call.name {
            "lookup" | "keys" | "values" | "length" | "element" | "contains" | "distinct" | "compact" | "coalesce"
            | "coalescelist" | "reverse" | "slice" | "chunklist" | "sort" | "index" | "zipmap" | "setproduct"
            | "setunion" | "setintersection" | "setsubtract" | "range" | "one" | "tolist" | "toset" | "tomap"
            | "list" | "map" | "matchkeys" | "alltrue" | "anytrue" | "sum" | "transpose" => {
                self.collection_function(call)
            }
            "format" | "formatlist" | "join" | "split" | "replace" | "regex" | "regexall" | "lower" | "upper"
            | "title" | "trim" | "trimspace" | "trimprefix" | "trimsuffix" | "substr" | "strrev" | "chomp"
            | "indent" | "startswith" | "endswith" | "strcontains" => self.string_function(call),
            "jsondecode" | "yamlencode" | "yamldecode" | "base64encode" | "base64decode" | "urlencode" => {
                self.encoding_function(call)
            }
            "file" | "fileexists" | "fileset" | "templatefile" | "templatestring" | "abspath" | "dirname"
            | "basename" | "pathexpand" => self.file_function(call, scope),
            "md5" | "sha1" | "sha256" | "sha512" | "base64sha256" | "base64sha512" | "filemd5" | "filesha1"
            | "filesha256" | "filesha512" | "filebase64" | "filebase64sha256" | "filebase64sha512" => {
                self.digest_function(call, scope)
            }
            "textencodebase64" | "textdecodebase64" => self.text_encoding_function(call),
            "cidrhost" | "cidrnetmask" | "cidrsubnet" | "cidrsubnets" => self.network_function(call),
            "timeadd" | "timecmp" | "formatdate" => self.time_function(call),
            "tostring" => Ok(types::to_text(call.argument(0)?)),
            "tonumber" => Ok(types::to_number(call.argument(0)?)),
            "tobool" => Ok(types::to_bool(call.argument(0)?)),
            "issensitive" => Ok(Val::bool(span, false)),
            "abs" => self.numeric(call, |n| Some(if n.is_negative() { n.negated() } else { n })),
            "ceil" => self.numeric(call, |n| n.stepped(true)),
            "floor" => self.numeric(call, |n| n.stepped(false)),
            "signum" => Ok(Val::whole(span, call.whole(0)?.signum())),
            "max" | "min" => {
                let mut best: Option<Number> = None;
                for at in 0..call.arguments.len() {
                    let number = call.number(at)?;
                    let better = |best: &Number| (call.name == "max") == number.compared(best).is_gt();
                    if best.as_ref().is_none_or(better) {
                        best = Some(number);
                    }
                }
                match best {
                    Some(best) => Ok(Val::new(span, V::Number(best))),
                    None => Err(call.wrong("lacks an argument")),
                }
            }
            "pow" | "log" => {
                let (a, b) = (call.number(0)?.value(), call.number(1)?.value());
                let result = if call.name == "pow" { a.powf(b) } else { a.log(b) };
                match Number::from_float(result) {
                    Some(number) => Ok(Val::new(span, V::Number(number))),
                    None => Err(call.wrong("has no finite result")),
                }
            }
            "parseint" => {
                let (text, base) = (call.text(0)?, call.whole(1)?);
                let base = u32::try_from(base).ok().filter(|base| (2..=36).contains(base));
                match base.and_then(|base| i64::from_str_radix(&text, base).ok()) {
                    Some(number) => Ok(Val::whole(span, number)),
                    None => Err(call.wrong("is given no whole number")),
                }
            }
            name => {
                // What it is made of may say where it comes from, as an ARN does.
                let of = call.arguments.iter().find_map(Val::reason).filter(|reason| reason.address().is_some());
                Err(Val::unknown(span, of.unwrap_or_else(|| Reason::from(format!("depends on {name}()")))))
            }
        }
    }

    fn numeric(&mut self, call: &Call<'_>, of: fn(Big) -> Option<Big>) -> Answer {
        match call.number(0)?.big().and_then(of).and_then(Number::of) {
            Some(number) => Ok(Val::new(call.span, V::Number(number))),
            None => Err(call.unknown(Some("is a number that is too large".into()))),
        }
    }
}

impl<'c> Call<'c> {
    fn wrong(&self, words: &str) -> Val {
        Val::error(self.span, format!("{}() {words}", self.name))
    }

    fn unknown(&self, reason: Option<Reason>) -> Val {
        Val::unknown(self.span, reason.unwrap_or_else(|| "is not known".into()))
    }

    fn argument(&self, at: usize) -> Result<&'c Val, Val> {
        self.arguments.get(at).ok_or_else(|| self.wrong("lacks an argument"))
    }

    /// The reason for which an argument is not what it should be.
    fn unfit(&self, value: &Val, wanted: &str) -> Val {
        match (&value.kind, value.reason()) {
            (V::Error(_), _) => value.clone(),
            (_, Some(reason)) => self.unknown(Some(reason)),
            (_, None) => self.wrong(&format!("wants {wanted}")),
        }
    }

    fn text(&self, at: usize) -> Result<Arc<str>, Val> {
        let value = types::to_text(self.argument(at)?);
        let known = match &value.kind {
            V::Text(text) => text.known(),
            _ => None,
        };
        known.ok_or_else(|| self.unfit(&value, "a string"))
    }

    fn number(&self, at: usize) -> Result<Number, Val> {
        let value = types::to_number(self.argument(at)?);
        match value.kind {
            V::Number(number) => Ok(number),
            _ => Err(self.unfit(&value, "a number")),
        }
    }

    fn whole(&self, at: usize) -> Result<i64, Val> {
        self.number(at)?.whole().ok_or_else(|| self.wrong("wants a whole number"))
    }

    fn list(&self, at: usize) -> Result<&'c List, Val> {
        let value = self.argument(at)?;
        match &value.kind {
            V::List(list) => Ok(list),
            _ => Err(self.unfit(value, "a list")),
        }
    }

    /// A list whose every item is known to be there.
    fn whole_list(&self, at: usize) -> Result<&'c List, Val> {
        let list = self.list(at)?;
        match (&list.rest, list.maybe) {
            (Some(reason), _) => Err(self.unknown(Some(reason.clone()))),
            (None, true) => {
                let open = list.items.iter().find(|item| item.may_be_absent()).and_then(Val::reason);
                Err(self.unknown(open))
            }
            (None, false) => Ok(list),
        }
    }

    fn map(&self, at: usize) -> Result<&'c Map, Val> {
        let value = self.argument(at)?;
        match &value.kind {
            V::Map(map) => Ok(map),
            _ => Err(self.unfit(value, "a map")),
        }
    }

    fn give_text(&self, text: impl Into<Arc<str>>) -> Answer {
        Ok(Val::text(self.span, text))
    }
}
