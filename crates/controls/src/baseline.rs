//! A baseline: the failures that are known already. They are known by control, resource and
//! container, so a file may change around them.

use std::collections::HashMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tojimari_model::finding::{Evaluation, ResourceName, Status, Waiver, WaiverSource};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    #[schemars(extend("const" = 1))]
    pub version: u32,
    /// Sorted. Two failures that cannot be told apart are there twice.
    pub findings: Vec<Known>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Known {
    pub control: Arc<str>,
    pub resource: ResourceName,
    pub container: Option<Arc<str>>,
}

impl Known {
    fn of(evaluation: &Evaluation) -> Known {
        let Evaluation { control, resource, container, .. } = evaluation;
        Known { control: control.clone(), resource: resource.clone(), container: container.clone() }
    }
}

impl Baseline {
    /// Every failure.
    pub fn of(evaluations: &[Evaluation]) -> Baseline {
        let failures = evaluations.iter().filter(|evaluation| evaluation.status == Status::Fail);
        let mut findings: Vec<Known> = failures.map(Known::of).collect();
        findings.sort();
        Baseline { version: 1, findings }
    }

    /// Turns failures that are known into waived ones: of those that cannot be told apart, as many as
    /// were known, in the order of the evaluations.
    pub fn apply(&self, evaluations: &mut [Evaluation]) {
        let mut left: HashMap<&Known, usize> = HashMap::new();
        for known in &self.findings {
            *left.entry(known).or_default() += 1;
        }
        for evaluation in evaluations.iter_mut().filter(|evaluation| evaluation.status == Status::Fail) {
            match left.get_mut(&Known::of(evaluation)) {
                Some(count) if *count > 0 => *count -= 1,
                _ => continue,
            }
            let reason = "known since the baseline".to_owned();
            evaluation.status = Status::Waived;
            evaluation.waiver = Some(Waiver { reason, until: None, source: WaiverSource::Baseline });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::evaluations;
    use crate::settings::Settings;

    fn failures(containers: &str) -> Vec<Evaluation> {
        let control = crate::find("ECS.5").expect("ECS.5");
        let text = format!(r#"[{{"task": {{"family": "f", "containerDefinitions": [{containers}]}}}}]"#);
        evaluations(control, &text, &Settings::default())
    }

    #[test]
    fn what_is_known_is_waived_and_what_is_new_fails() {
        let baseline = Baseline::of(&failures(r#"{"name": "a"}"#));
        let text = serde_json::to_string(&baseline).expect("JSON");
        let baseline: Baseline = serde_json::from_str(&text).expect("the same again");
        let mut now = failures(r#"{"name": "b"}, {"name": "a"}"#);
        baseline.apply(&mut now);
        let statuses: Vec<(Option<&str>, Status)> =
            now.iter().map(|evaluation| (evaluation.container.as_deref(), evaluation.status)).collect();
        assert_eq!(statuses, [(Some("b"), Status::Fail), (Some("a"), Status::Waived)]);
    }

    #[test]
    fn of_two_alike_the_second_is_new() {
        let one = failures(r#"{"name": "a"}"#);
        let baseline = Baseline::of(&one);
        let mut two = [one.clone(), one].concat();
        baseline.apply(&mut two);
        assert_eq!(two.iter().map(|e| e.status).collect::<Vec<_>>(), [Status::Waived, Status::Fail]);
    }
}
