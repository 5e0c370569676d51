//! Points in time that the configuration names. Now is none of them.

use jiff::SignedDuration;
use jiff::civil::DateTime;

use super::{Answer, Call};
use crate::terraform::module::Evaluator;
use crate::terraform::value::Val;
use tojimari_model::value::Reason;

/// A time as a clock shows it, and how many minutes that clock is ahead of UTC.
struct Time {
    local: DateTime,
    ahead: i32,
}

impl Time {
    /// Reads whole seconds alone: `2024-01-02T03:04:05Z`, `2024-01-02T03:04:05+01:00`.
    fn read(call: &Call<'_>, at: usize) -> Result<Time, Val> {
        let text = call.text(at)?;
        let unread = || call.unknown(Some(Reason::from("is a time that is not read")));
        let form: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        let (Some(date), Some(zone)) = (text.get(..19), text.get(19..)) else { return Err(unread()) };
        if !form.starts_with("0000-00-00T00:00:00") || date.ends_with(":60") || date.starts_with("0000") {
            return Err(unread());
        }
        let ahead = match (zone, form.get(19..)) {
            ("Z", _) => 0,
            (_, Some("+00:00" | "-00:00")) => {
                let number = |range: std::ops::Range<usize>| zone.get(range).and_then(|part| part.parse::<i32>().ok());
                let (Some(hours), Some(minutes)) = (number(1..3), number(4..6)) else { return Err(unread()) };
                if hours > 23 || minutes > 59 {
                    return Err(unread());
                }
                let ahead = hours * 60 + minutes;
                if zone.starts_with('-') { -ahead } else { ahead }
            }
            _ => return Err(unread()),
        };
        Ok(Time { local: date.parse().map_err(|_| unread())?, ahead })
    }

    /// `+01:00`, with what stands between hours and minutes.
    fn zone(&self, between: &str) -> String {
        let sign = if self.ahead < 0 { '-' } else { '+' };
        format!("{sign}{:02}{between}{:02}", self.ahead.abs() / 60, self.ahead.abs() % 60)
    }

    fn written(&self) -> String {
        let zone = if self.ahead == 0 { "Z".to_owned() } else { self.zone(":") };
        format!("{}{zone}", self.local.strftime("%Y-%m-%dT%H:%M:%S"))
    }

    /// What a run of one letter stands for; none where Terraform knows no such.
    fn part(&self, letter: char, count: usize) -> Option<String> {
        let written = |format: &str| Some(self.local.strftime(format).to_string());
        let hour = i32::from(self.local.hour());
        let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
        let half = if hour < 12 { "AM" } else { "PM" };
        match (letter, count) {
            ('Y', 4) => written("%Y"),
            ('Y', 2) => written("%y"),
            ('M', 4) => written("%B"),
            ('M', 3) => written("%b"),
            ('M', 2) => written("%m"),
            ('M', 1) => Some(self.local.month().to_string()),
            ('D', 2) => written("%d"),
            ('D', 1) => Some(self.local.day().to_string()),
            ('E', 4) => written("%A"),
            ('E', 3) => written("%a"),
            ('h', 2) => written("%H"),
            ('h', 1) => Some(hour.to_string()),
            ('H', 2) => Some(format!("{twelve:02}")),
            ('H', 1) => Some(twelve.to_string()),
            ('A', 2) => Some(half.to_owned()),
            ('a', 2) => Some(half.to_lowercase()),
            ('m', 2) => written("%M"),
            ('m', 1) => Some(self.local.minute().to_string()),
            ('s', 2) => written("%S"),
            ('s', 1) => Some(self.local.second().to_string()),
            ('Z', 1) if self.ahead == 0 => Some("Z".to_owned()),
            ('Z', 3) if self.ahead == 0 => Some("UTC".to_owned()),
            ('Z', 1 | 5) => Some(self.zone(":")),
            ('Z', 3 | 4) => Some(self.zone("")),
            _ => None,
        }
    }
}

impl Evaluator<'_> {
    pub(super) fn time_function(&mut self, call: &Call<'_>) -> Answer {
        match call.name {
            "timeadd" => {
                let (time, text) = (Time::read(call, 0)?, call.text(1)?);
                let unread = || call.unknown(Some("is a duration that is not read".into()));
                let more = seconds(&text).ok_or_else(unread)?;
                let local = time.local.checked_add(SignedDuration::from_secs(more)).map_err(|_| unread())?;
                match (1..=9999).contains(&local.year()) {
                    true => call.give_text(Time { local, ..time }.written()),
                    false => Err(unread()),
                }
            }
            "timecmp" => {
                let utc = |time: Time| time.local.checked_sub(SignedDuration::from_mins(i64::from(time.ahead)));
                match (utc(Time::read(call, 0)?), utc(Time::read(call, 1)?)) {
                    (Ok(a), Ok(b)) => Ok(Val::whole(call.span, a.cmp(&b) as i64)),
                    _ => Err(call.unknown(Some("is a time that is not read".into()))),
                }
            }
            _ => {
                let (spec, time) = (call.text(0)?, Time::read(call, 1)?);
                let mut text = String::new();
                let mut rest = &*spec;
                while let Some(first) = rest.chars().next() {
                    if let Some(quoted) = rest.strip_prefix('\'') {
                        // Two quotes are one, within quotes and without.
                        if let Some(after) = quoted.strip_prefix('\'') {
                            text.push('\'');
                            rest = after;
                            continue;
                        }
                        let mut inner = quoted;
                        rest = loop {
                            let Some((part, after)) = inner.split_once('\'') else {
                                return Err(call.wrong("is given a quote without an end"));
                            };
                            text.push_str(part);
                            match after.strip_prefix('\'') {
                                Some(after) => {
                                    text.push('\'');
                                    inner = after;
                                }
                                None => break after,
                            }
                        };
                        continue;
                    }
                    let count = match first.is_ascii_alphabetic() {
                        true => rest.len() - rest.trim_start_matches(first).len(),
                        false => first.len_utf8(),
                    };
                    match first.is_ascii_alphabetic() {
                        true => match time.part(first, count) {
                            Some(part) => text.push_str(&part),
                            None => return Err(call.wrong("is given letters that stand for nothing")),
                        },
                        false => text.push(first),
                    }
                    rest = &rest[count..];
                }
                call.give_text(text)
            }
        }
    }
}

/// A duration of hours, minutes and seconds, each a whole number.
fn seconds(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut sum = 0i64;
    while let Some(at) = rest.find(|c: char| !c.is_ascii_digit()) {
        let number: i64 = rest[..at].parse().ok()?;
        let mut unit = rest[at..].chars();
        let size = match unit.next()? {
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        rest = unit.as_str();
        // `ms` is no minute.
        if rest.starts_with(|c: char| !c.is_ascii_digit()) {
            return None;
        }
        sum = sum.checked_add(number.checked_mul(size)?)?;
        // Go's durations end after 292 years.
        if sum > 9_000_000_000 {
            return None;
        }
    }
    Some(sign * sum).filter(|_| rest.is_empty() && text.ends_with(['h', 'm', 's']))
}
