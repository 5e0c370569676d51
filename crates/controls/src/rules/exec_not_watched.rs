//! Somebody should be told when a session of ECS Exec is opened.
//!
//! # What
//! CloudTrail records every call of ExecuteCommand. An EventBridge rule or a metric filter on the
//! trail's log can raise an alarm for it.
//!
//! # Why
//! A shell in production is worth a look, and what a session did is read only when somebody knows
//! of it.
//!
//! # Exact test
//! A service with `enableExecuteCommand` passes when something in the same stack watches for the
//! call: an EventBridge rule that is not off and whose pattern takes an event with source
//! `aws.ecs`, detail type `AWS API Call via CloudTrail` and event name `ExecuteCommand`, or a
//! metric filter that asks for that event name. It fails when the stack has such rules or filters
//! and none of them watches for it. A stack that has none at all does not tell, for an alarm is
//! often kept in a stack of its own: unknown, as with a pattern that is not known. A service
//! without ECS Exec passes.
//!
//! # Impact
//! None for running tasks.
//!
//! # Default value
//! Nothing watches.
//!
//! # Fix
//! Add an EventBridge rule with the pattern `{"source": ["aws.ecs"], "detail-type": ["AWS API Call
//! via CloudTrail"], "detail": {"eventName": ["ExecuteCommand"]}}` and a target such as an SNS
//! topic. CloudTrail must record management events in the Region.
//!
//! # Back out
//! Delete the rule.
//!
//! # Does not see
//! What watches elsewhere: in another stack, or in the account that collects the trails. Whether
//! the rule has a target, and whether anybody reads it. Waive the control where that is so.

use tojimari_model::{Declared, Severity};
use tojimari_text::Span;

use crate::control::{Control, Standard};
use crate::exec::with_exec;
use crate::search::Search;
use crate::subject::Subject;
use crate::verdict::Verdict;
use crate::watch::{Watches, by_filter, by_rule};

pub const CONTROL: Control = Control {
    id: "TJ.4",
    slug: "exec-not-watched",
    title: "Somebody should be told when a session of ECS Exec is opened",
    severity: Severity::Low,
    level: 1,
    standards: &[Standard::CisControls8(&["8.2"])],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    on.service().map(|service| with_exec(on, service, |span| judge(on, span))).into_iter().collect()
}

fn judge(on: &Subject<'_>, span: Span) -> Verdict {
    let mut search = Search::new("whether anybody watches for ExecuteCommand");
    let mut could = false;
    for other in on.others() {
        let watches = match &other.declared {
            Declared::EventRule(rule) => by_rule(rule),
            Declared::MetricFilter(filter) => by_filter(filter),
            _ => continue,
        };
        could = true;
        match watches {
            Watches::Yes => return Verdict::pass(span, format!("{} watches for ExecuteCommand", other.address)),
            Watches::Unknown(reason) => {
                search.note_of(format!("whether {} watches for ExecuteCommand", other.address), &reason, span);
            }
            Watches::No => {}
        }
    }
    if !could {
        search.note(&"there is no EventBridge rule and no metric filter in the stack".into(), span);
    }
    search.or_else(|| {
        Verdict::fail(span, "ECS Exec is enabled and nothing in these files watches for ExecuteCommand")
            .advise("add an EventBridge rule for the API call ExecuteCommand via CloudTrail")
    })
}

#[cfg(test)]
crate::cases::cases! {
    unknown: r#"[{"service": {"enableExecuteCommand": true}}]"#;
    pass: r#"[{"service": {}}]"#;
    fail: r#"[{"service": {"enableExecuteCommand": true}}, {"rule": {"eventPattern": {"source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"]}}}]"#;
    fail: r#"[{"service": {"enableExecuteCommand": true}}, {"rule": {"state": "DISABLED",
        "eventPattern": {"source": ["aws.ecs"]}}}]"#;
    fail: r#"[{"service": {"enableExecuteCommand": true}}, {"rule": {"scheduleExpression": "rate(1 day)"}}]"#;
    fail: r#"[{"service": {"enableExecuteCommand": true}},
        {"filter": {"filterPattern": "{ $.eventName = DeleteTrail }"}}]"#;
    fail: r#"[{"service": {"enableExecuteCommand": true}},
        {"filter": {"filterPattern": "{ $.eventName != ExecuteCommand }"}}]"#;
    pass: r#"[{"service": {"enableExecuteCommand": true}},
        {"filter": {"filterPattern": "{ ($.eventSource = ecs.amazonaws.com) && ($.eventName = \"ExecuteCommand\") }"}}]"#;
    pass: r#"[{"service": {"enableExecuteCommand": true}},
        {"rule": {"eventPattern": "{\"source\": [\"aws.ecs\"], \"detail\": {\"eventName\": [\"ExecuteCommand\"]}}"}}]"#;
    pass: r#"[{"service": {"enableExecuteCommand": true}},
        {"rule": {"eventPattern": {"detail-type": ["AWS API Call via CloudTrail"],
        "detail": {"eventName": [{"prefix": "Exec"}], "awsRegion": ["eu-west-1"]}}}}]"#;
    fail: r#"[{"service": {"enableExecuteCommand": true}},
        {"rule": {"eventPattern": {"detail": {"eventName": [{"anything-but": ["ExecuteCommand"]}]}}}}]"#;
    unknown: r#"[{"service": {"enableExecuteCommand": true}}, {"rule": {"eventPattern": "?"}}]"#;
    unknown: r#"[{"service": {"enableExecuteCommand": "?"}}]"#;
}
