//! How large a tmpfs has to be: twice the most bytes that lay in it at one time, as a power of two
//! of MiB and at least 16.

use super::needs::Need;

/// The smallest tmpfs that is planned, in MiB. A tmpfs takes memory only as it fills.
pub(super) const SMALLEST_MIB: u64 = 16;

/// Room for growth over what was observed.
const HEAD_ROOM: u64 = 2;

pub(super) fn mib(needs: &[Need<'_>]) -> u64 {
    let bytes = peak_bytes(needs).saturating_mul(HEAD_ROOM);
    bytes.div_ceil(1 << 20).max(SMALLEST_MIB).next_power_of_two()
}

/// The most bytes at one time: a file counts from its first write to its last, or to the end of
/// the run where it was still there. Ten thousand temporary files one after the other are one.
fn peak_bytes(needs: &[Need<'_>]) -> u64 {
    let mut changes: Vec<(f64, i128)> = Vec::with_capacity(needs.len() * 2);
    for need in needs {
        let bytes = i128::from(need.path.peak_bytes);
        changes.push((need.path.first_seconds, bytes));
        if !need.path.present_at_end {
            changes.push((need.path.last_seconds, -bytes));
        }
    }
    // At the same moment what comes is counted before what goes: rather too much than too little.
    changes.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
    let mut now = 0_i128;
    let mut peak = 0_i128;
    for (_, change) in changes {
        now += change;
        peak = peak.max(now);
    }
    u64::try_from(peak).unwrap_or(u64::MAX)
}
