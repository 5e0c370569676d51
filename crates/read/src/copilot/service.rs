//! The service of a workload and the cluster of an environment, as Copilot's templates make them of
//! the manifest.

use super::workload::{list, member, object, platform, rest_of, tags};
use crate::notation::{Object, string};
use tojimari_model::value::{Kind, Reason, Value};

pub(super) fn service(name: &str, manifest: &Value) -> Value {
    let span = manifest.span;
    let mut service = Object::new(rest_of(manifest));
    service.put("cluster", Value::unknown(span, "is the cluster of the environment"));
    service.put("taskDefinition", Value::unknown(span, Reason::attribute_of(name)));
    let windows = manifest.get("platform").is_some_and(|given| {
        let family = platform(given);
        let family = family.get("operatingSystemFamily").and_then(Value::as_str);
        family.is_some_and(|family| family.starts_with("WINDOWS"))
    });
    service.put("platformVersion", string(span, if windows { "1.0.0" } else { "LATEST" }));
    match manifest.get("count") {
        Some(count) if matches!(count.kind, Kind::Number(_)) => {
            service.put("launchType", string(span, "FARGATE"));
            service.put("desiredCount", count.clone());
        }
        // Spot capacity goes by capacity providers.
        Some(count) if matches!(count.kind, Kind::Map(..)) => {
            let spot =
                count.get("spot").is_some() || count.get("range").is_some_and(|range| range.get("spot_from").is_some());
            match spot {
                true => {
                    let provider =
                        |name: &str| object(count.span, vec![("capacityProvider", string(count.span, name))]);
                    let both = vec![provider("FARGATE"), provider("FARGATE_SPOT")];
                    service.put("capacityProviderStrategy", list(count.span, both));
                }
                false => service.put("launchType", string(span, "FARGATE")),
            }
        }
        _ => service.put("launchType", string(span, "FARGATE")),
    }
    if let Some(given) = member(manifest, "exec") {
        service.put_at("enableExecuteCommand", given.name_span, given.value.clone());
    }
    let placement = manifest.get("network").and_then(|network| network.get("vpc")?.get("placement"));
    let public = match placement {
        None => string(span, "ENABLED"),
        Some(placement) => match &placement.kind {
            Kind::String(text) if &**text == "private" => string(placement.span, "DISABLED"),
            Kind::String(_) | Kind::Null => string(placement.span, "ENABLED"),
            Kind::Unknown(reason) => Value::unknown(placement.span, reason.clone()),
            // Subnets of one's own come without public addresses.
            _ => string(placement.span, "DISABLED"),
        },
    };
    let at = public.span;
    let network = object(at, vec![("awsvpcConfiguration", object(at, vec![("assignPublicIp", public)]))]);
    service.put("networkConfiguration", network);
    service.put("tags", tags(span, Some(name)));
    service.value(span)
}

/// The cluster of an environment.
pub(super) fn cluster(manifest: &Value) -> Value {
    let span = manifest.span;
    let mut cluster = Object::new(rest_of(manifest));
    let insights = manifest.get("observability").and_then(|given| member(given, "container_insights"));
    let setting = match insights.map(|given| (&given.value.kind, given.value.span)) {
        Some((Kind::Bool(true), at)) => string(at, "enabled"),
        Some((Kind::Unknown(reason), at)) => Value::unknown(at, reason.clone()),
        Some((_, at)) => string(at, "disabled"),
        None => string(span, "disabled"),
    };
    let at = setting.span;
    let setting = object(at, vec![("name", string(at, "containerInsights")), ("value", setting)]);
    cluster.put("settings", list(at, vec![setting]));
    let exec = object(span, vec![("logging", string(span, "DEFAULT"))]);
    cluster.put("configuration", object(span, vec![("executeCommandConfiguration", exec)]));
    let providers = ["FARGATE", "FARGATE_SPOT"].iter().map(|name| string(span, name)).collect();
    cluster.put("capacityProviders", list(span, providers));
    cluster.put("tags", tags(span, None));
    cluster.value(span)
}
