//! What goes wrong with a registry, in words that say what to do and keep secrets to themselves.

use std::io::{self, Read};

use serde::Deserialize;
use ureq::Body;
use ureq::http::Response;

/// What a registry says with an error, in bytes, and of that what is passed on, in characters.
const MAX_ANSWER: u64 = 1 << 20;
const MAX_SAID: usize = 200;

#[derive(Debug)]
pub(super) enum Failure {
    /// The registry answered, and the answer is no.
    Refused(String),
    /// It gave up on the way: another try may do.
    Network(String),
    /// Nothing is there to be reached.
    Unreachable(String),
    /// The disk's.
    Io(io::Error),
}

/// What a status other than the expected one means for a path below the repository.
pub(super) fn of_status(
    host: &str,
    status: u16,
    mut response: Response<Body>,
    path: &str,
    with_credentials: bool,
) -> Failure {
    let said = said(&mut response);
    match status {
        401 | 403 => refused(host, with_credentials, &said),
        404 if path.starts_with("manifests/") => Failure::Refused(format!("{host} has no such image{said}")),
        404 => Failure::Refused(format!("{host} has no {path}{said}")),
        429 => Failure::Refused(format!("{host} allows no more pulls for now{said}")),
        500.. => Failure::Network(format!("{host} answers with status {status}{said}")),
        _ => Failure::Refused(format!("{host} answers with status {status}{said}")),
    }
}

/// Why a registry keeps an image to itself, and what to do about it.
pub(super) fn refused(host: &str, with_credentials: bool, said: &str) -> Failure {
    let because = match with_credentials {
        true => format!("{host} refuses the credentials that are kept for it"),
        false => format!("{host} gives it to nobody who is not logged in, or has no such image"),
    };
    let login = match region_of_ecr(host) {
        Some(region) => format!(
            "`aws ecr get-login-password --region {region} | docker login --username AWS --password-stdin {host}`"
        ),
        None => format!("`docker login {host}`"),
    };
    Failure::Refused(format!("{because}{said}; log in with {login}, or name it as oci:DIR or docker-archive:FILE"))
}

/// Without the address: it may hold a signature.
pub(super) fn of_request(host: &str, error: &ureq::Error) -> Failure {
    let because = match error {
        ureq::Error::HostNotFound => return Failure::Unreachable(format!("there is no host {host}")),
        ureq::Error::Io(error)
            if matches!(
                error.kind(),
                io::ErrorKind::ConnectionRefused | io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable
            ) =>
        {
            return Failure::Unreachable(format!("{host} cannot be reached: {error}"));
        }
        ureq::Error::Io(error) if distrusts(error) => {
            return Failure::Refused(format!(
                "{host} shows a certificate that this machine does not trust ({error}); \
                 SSL_CERT_FILE may name a file of further authorities"
            ));
        }
        ureq::Error::Timeout(_) => "it does not answer in time".to_owned(),
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::Rustls(error) => error.to_string(),
        ureq::Error::RequireHttpsOnly(_) => {
            return Failure::Refused(format!("{host} redirects to an address without TLS"));
        }
        ureq::Error::ConnectionFailed => "the connection failed".to_owned(),
        ureq::Error::ConnectProxyFailed(_) => "the proxy refuses the connection".to_owned(),
        _ => "it does not speak HTTP".to_owned(),
    };
    Failure::Network(format!("{host} cannot be reached: {because}"))
}

fn distrusts(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(inner, Some(rustls::Error::InvalidCertificate(_)))
}

pub(super) fn of_reading(error: io::Error) -> Failure {
    Failure::Network(match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "it stopped sending".to_owned(),
        _ => format!("the connection broke: {}", error.kind()),
    })
}

/// ` (what the registry says with its error)`, or nothing.
pub(super) fn said(response: &mut Response<Body>) -> String {
    #[derive(Deserialize)]
    struct Answer {
        errors: Vec<Error>,
    }
    #[derive(Deserialize)]
    struct Error {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
    }
    let mut bytes = Vec::new();
    if response.body_mut().as_reader().take(MAX_ANSWER).read_to_end(&mut bytes).is_err() {
        return String::new();
    }
    let Ok(answer) = serde_json::from_slice::<Answer>(&bytes) else { return String::new() };
    let Some(first) = answer.errors.first() else { return String::new() };
    let text = if first.message.is_empty() { &first.code } else { &first.message };
    match text.is_empty() {
        true => String::new(),
        false => format!(" ({})", text.chars().take(MAX_SAID).collect::<String>()),
    }
}

/// `ACCOUNT.dkr.ecr.REGION.amazonaws.com`, also `.amazonaws.com.cn` and the FIPS endpoints.
fn region_of_ecr(host: &str) -> Option<&str> {
    let (account, rest) = host.split_once(".dkr.ecr.").or_else(|| host.split_once(".dkr.ecr-fips."))?;
    let (region, domain) = rest.split_once('.')?;
    let is_aws = matches!(domain, "amazonaws.com" | "amazonaws.com.cn");
    (is_aws && account.bytes().all(|byte| byte.is_ascii_digit())).then_some(region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_of_ecr_is_read_from_its_host() {
        for (host, region) in [
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", Some("us-gov-west-1")),
            ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("public.ecr.aws", None),
            ("x.dkr.ecr.y.example", None),
        ] {
            assert_eq!(region_of_ecr(host), region, "{host}");
        }
    }
}
