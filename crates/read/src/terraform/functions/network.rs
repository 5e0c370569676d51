//! Ranges of addresses. What Terraform refuses is an error; what is not told apart here, such as an
//! address with zeros in front, is unknown.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Answer, Call};
use crate::terraform::module::Evaluator;
use crate::terraform::value::{Shape, Val};
use tojimari_model::value::Reason;

/// A range: its first address, how many of its bits are the same in all of it, and how many an
/// address has.
#[derive(Clone, Copy)]
struct Range {
    first: u128,
    prefix: u32,
    width: u32,
}

impl Range {
    fn read(call: &Call<'_>) -> Result<Range, Val> {
        let text = call.text(0)?;
        let Some((address, prefix)) = text.split_once('/') else { return Err(call.wrong("is given no range")) };
        let unread = || call.unknown(Some(Reason::from("is a range of addresses that is not read")));
        let (first, width) = match address.parse::<IpAddr>().map_err(|_| unread())? {
            IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
            // An address of version 4 in one of version 6 is written as one of either by rules of its own.
            IpAddr::V6(address) if address.to_ipv4().is_some() => return Err(unread()),
            IpAddr::V6(address) => (address.to_bits(), 128),
        };
        let digits = prefix.bytes().all(|byte| byte.is_ascii_digit()) && (prefix == "0" || !prefix.starts_with('0'));
        let prefix: u32 = prefix.parse().ok().filter(|_| digits).ok_or_else(unread)?;
        if prefix > width {
            return Err(call.wrong("is given a range with too long a prefix"));
        }
        Ok(Range { first, prefix, width }.aligned())
    }

    fn aligned(self) -> Range {
        Range { first: self.first & !low_bits(self.width - self.prefix), ..self }
    }

    fn last(self) -> u128 {
        self.first | low_bits(self.width - self.prefix)
    }

    fn contains(self, address: u128) -> bool {
        (self.first..=self.last()).contains(&address)
    }

    /// An address in words; none for one of version 6 that Go writes otherwise.
    fn words(self, address: u128) -> Option<String> {
        match self.width {
            32 => Some(Ipv4Addr::from_bits(address as u32).to_string()),
            _ => {
                let address = Ipv6Addr::from_bits(address);
                Some(address.to_string()).filter(|_| address.to_ipv4().is_none())
            }
        }
    }
}

/// A whole number of 64 bits; of larger ones nothing is told.
fn whole(call: &Call<'_>, at: usize) -> Result<i64, Val> {
    let number = call.number(at)?.whole();
    number.ok_or_else(|| call.unknown(Some("depends on a number that is no whole one of 64 bits".into())))
}

/// So many ones.
fn low_bits(count: u32) -> u128 {
    1u128.checked_shl(count).map_or(u128::MAX, |bit| bit - 1)
}

impl Evaluator<'_> {
    pub(super) fn network_function(&mut self, call: &Call<'_>) -> Answer {
        let range = Range::read(call)?;
        let unwritten = || call.unknown(Some("is an address that is not written out".into()));
        match call.name {
            "cidrhost" => {
                let number = whole(call, 1)?;
                let most = low_bits(range.width - range.prefix);
                let number = if number < 0 {
                    most.checked_sub(u128::from(number.unsigned_abs()) - 1)
                } else {
                    Some(number as u128)
                };
                match number.filter(|number| *number <= most) {
                    Some(number) => call.give_text(range.words(range.first | number).ok_or_else(unwritten)?),
                    None => Err(call.wrong("is given a number that the range has not")),
                }
            }
            "cidrnetmask" if range.width == 32 => {
                let mask = low_bits(32) & !low_bits(32 - range.prefix);
                call.give_text(range.words(mask).ok_or_else(unwritten)?)
            }
            "cidrnetmask" => Err(call.wrong("is given a range of version 6")),
            "cidrsubnet" => {
                let (more, number) = (whole(call, 1)?, whole(call, 2)?);
                let (Ok(more), Ok(number)) = (u32::try_from(more), u128::try_from(number)) else {
                    return Err(call.unknown(Some("depends on cidrsubnet() of a negative number".into())));
                };
                let prefix = range.prefix.saturating_add(more);
                if prefix > range.width || number > low_bits(more) {
                    return Err(call.wrong("is given a number that the range has not"));
                }
                let shift = range.width - prefix;
                let first = range.first | number.checked_shl(shift).unwrap_or(0);
                let first = range.words(first).ok_or_else(unwritten)?;
                call.give_text(format!("{first}/{prefix}"))
            }
            _ => self.subnets(call, range),
        }
    }

    /// Ranges one behind the other, each begun where one of its size can begin.
    fn subnets(&mut self, call: &Call<'_>, range: Range) -> Answer {
        let span = call.span;
        let mut parts = Vec::with_capacity(call.arguments.len());
        // The first address that is free; none behind the last of all.
        let mut free = Some(range.first);
        for at in 1..call.arguments.len() {
            let more = whole(call, at)?;
            let prefix = u32::try_from(more).ok().map(|more| range.prefix.saturating_add(more));
            let Some(prefix) = prefix.filter(|prefix| (1..=32).contains(&more) && *prefix <= range.width) else {
                return Err(call.wrong("is given a size that the range has not"));
            };
            let size = low_bits(range.width - prefix);
            let first = free.and_then(|free| free.checked_add(size)).map(|first| first & !size);
            let part = first.filter(|first| range.contains(*first)).map(|first| Range { first, prefix, ..range });
            let Some(part) = part else { return Err(call.wrong("is given more than the range has")) };
            let Some(words) = part.words(part.first) else {
                return Err(call.unknown(Some("is an address that is not written out".into())));
            };
            parts.push(Val::text(span, format!("{words}/{prefix}")));
            free = part.last().checked_add(1);
        }
        Ok(Val::list_of(span, parts, None, Shape::Alike))
    }
}
