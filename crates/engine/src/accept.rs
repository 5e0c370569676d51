//! What people accept of what was found: waivers in comments and in the configuration, and a baseline.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tojimari_controls::Baseline;
use tojimari_controls::waiver::{self, Run};
use tojimari_text::{FileId, Problem, Sources};

use crate::config::Config;
use crate::judge::{Judged, Rules};

/// Waives what is accepted. What comes back is told as warnings.
pub fn accept(
    judged: &mut Judged,
    sources: &Sources,
    config: &Config,
    rules: &Rules,
    complete: bool,
    baseline: Option<&Baseline>,
) -> Vec<Problem> {
    // Words in files that say nothing of ECS are none of ours.
    let evaluations = &judged.evaluations;
    let mut files: Vec<FileId> = evaluations.iter().flat_map(|e| [e.span.file, e.subject.file, e.whole.file]).collect();
    files.sort_unstable();
    files.dedup();
    let (mut waivers, mut warnings) = waiver::comments(sources, files, &|name| config.id_of(name));
    waivers.extend(config.waivers.iter().cloned());
    let run = Run {
        sources,
        today: Timestamp::now().to_zoned(TimeZone::UTC).date(),
        evaluated: &|id| rules.has(id),
        relative: &|name| config.relative(name),
        complete,
    };
    warnings.extend(waiver::apply(&mut judged.evaluations, &waivers, run));
    warnings.append(&mut judged.warnings);
    if let Some(baseline) = baseline {
        baseline.apply(&mut judged.evaluations);
    }
    warnings.sort_by_cached_key(|w| (sources.get(w.span.file).name.clone(), w.span.start));
    warnings
}
