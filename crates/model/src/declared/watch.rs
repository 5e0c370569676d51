//! What may watch for a call in CloudTrail: EventBridge rules and the metric filters of CloudWatch
//! Logs, read by the names of PutRule and PutMetricFilter.

use std::cell::RefCell;

use tojimari_text::{Problem, Span};

use super::field::{Field, Fields, Met};
use super::reference::Reference;
use crate::value::Value;

#[derive(Clone, Debug)]
pub struct EventRule {
    pub span: Span,
    pub name: Field<String>,
    /// The pattern; a rule on a schedule has none.
    pub event_pattern: Field<Value>,
    /// DISABLED, ENABLED or ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS; absent means ENABLED.
    pub state: Field<String>,
}

#[derive(Clone, Debug)]
pub struct MetricFilter {
    pub span: Span,
    pub filter_name: Field<String>,
    pub filter_pattern: Field<String>,
    pub log_group_name: Reference,
}

impl EventRule {
    /// Reads the input form of PutRule: `eventPattern` as an object or as JSON in a string.
    pub fn read(value: &Value) -> (EventRule, Vec<Problem>) {
        let met = RefCell::new(Met::default());
        let rule = Fields::read(value, &met, |f| EventRule {
            span: f.span(),
            name: f.string("name"),
            event_pattern: f.document("eventPattern"),
            state: f.string("state"),
        });
        (rule, met.into_inner().problems)
    }
}

impl MetricFilter {
    /// Reads the input form of PutMetricFilter.
    pub fn read(value: &Value) -> (MetricFilter, Vec<Problem>) {
        let met = RefCell::new(Met::default());
        let filter = Fields::read(value, &met, |f| MetricFilter {
            span: f.span(),
            filter_name: f.string("filterName"),
            filter_pattern: f.string("filterPattern"),
            log_group_name: f.reference("logGroupName"),
        });
        (filter, met.into_inner().problems)
    }
}
